from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rerail.data.draft import STALE, draft


def test_a_folder_is_there_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep/out"
    with draft(target) as folder:
        (folder / "a").write_text("x")
        assert not target.exists()
    assert [one.name for one in target.iterdir()] == ["a"]
    assert [one.name for one in target.parent.iterdir()] == ["out"]


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with draft(tmp_path / "out") as folder:
            (folder / "a").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_not_even_what_came_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def meanwhile() -> None:
        with draft(target):
            target.mkdir()
            (target / "mine").write_text("x")

    for attempt in (meanwhile, lambda: draft(target).__enter__()):
        with pytest.raises(ValueError, match="is there already; nothing was overwritten"):
            attempt()
    assert [one.name for one in target.iterdir()] == ["mine"]
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_drafts_of_killed_processes_are_cleared_once_they_are_old(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / f".out.{name}.draft").mkdir()
    before = time.time() - STALE - 60
    os.utime(tmp_path / ".out.old.draft", (before, before))
    with draft(tmp_path / "out"):
        pass
    assert {one.name for one in tmp_path.iterdir()} == {"out", ".out.new.draft"}
