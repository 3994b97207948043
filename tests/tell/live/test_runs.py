from __future__ import annotations

import os
from pathlib import Path

from rerail.tell.live.runs import find


def put(folder: Path, when: int = 0) -> Path:
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("")
    os.utime(folder / "journal.jsonl", (when, when))
    return folder


def test_runs_are_found_below_the_newest_first(tmp_path: Path) -> None:
    put(tmp_path / "old", 10)
    put(tmp_path / "sweep" / "a" / "seed 1", 30)
    put(tmp_path / "new", 20)
    assert [one.name for one in find(tmp_path)] == [str(Path("sweep", "a", "seed 1")), "new", "old"]


def test_a_run_itself_is_one(tmp_path: Path) -> None:
    assert [one.name for one in find(put(tmp_path / "first"))] == ["first"]


def test_neither_too_deep_nor_hidden_nor_inside_a_run(tmp_path: Path) -> None:
    put(tmp_path / "run")
    put(tmp_path / "run" / "inner")
    put(tmp_path / ".trash" / "gone")
    put(tmp_path / "1" / "2" / "3" / "4" / "5" / "deep")
    assert [one.name for one in find(tmp_path)] == ["run"]


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "secret")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    assert find(tmp_path / "runs") == []


def test_names_are_one_printable_line_and_keys_need_no_escape(tmp_path: Path) -> None:
    put(tmp_path / "<b>\x1b[31m\nred")
    (tmp_path / "\udcff\udcfe").mkdir()
    (tmp_path / "\udcff\udcfe" / "journal.jsonl").write_text("")
    found = find(tmp_path)
    assert {one.name for one in found} == {"<b>\\x1b[31m\\nred", "\\udcff\\udcfe"}
    assert all(one.key.isalnum() for one in found)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert find(tmp_path / "nowhere") == []
