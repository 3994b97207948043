from __future__ import annotations

import json
from pathlib import Path

import pytest

from rerail.act.quarantine import Kept, Quarantine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quarantine.jsonl"


def test_samples_are_kept_once_and_found_again(path: Path) -> None:
    quarantine = Quarantine(path)
    assert quarantine.add(["b", "a"], tick=7, reason="bad") == ["a", "b"]
    assert quarantine.add(["a", "c"], tick=9, reason="worse") == ["c"]
    again = Quarantine(path)
    assert again.ids == {"a", "b", "c"}
    assert again.kept[-1] == Kept(id="c", tick=9, reason="worse")


def test_a_release_keeps_the_other_lines_as_they_are(path: Path) -> None:
    lines = ['{"id": "a", "tick": 1, "reason": "x"}', '{"reason":"own spacing","id":"\\u00fc\u2028","more":1}', "", ""]
    path.write_text("\n".join(lines), encoding="utf8")
    quarantine = Quarantine(path)
    quarantine.release(["a"])
    assert path.read_text(encoding="utf8") == lines[1] + "\n"
    assert quarantine.ids == {"\u00fc\u2028"}
    assert [one.id for one in quarantine.kept] == ["\u00fc\u2028"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert quarantine.add(["a"], tick=3, reason="again") == ["a"]


def test_an_unknown_id_is_named_and_nothing_is_changed(path: Path) -> None:
    Quarantine(path).add(["a", "b"], tick=1, reason="x")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not in quarantine: d, e; it holds: a, b"):
        Quarantine(path).release(["a", "e", "d"])
    assert path.read_bytes() == before


def test_an_empty_quarantine_says_so(path: Path) -> None:
    with pytest.raises(ValueError, match="not in quarantine: a; it holds: no sample at all"):
        Quarantine(path).release(["a"])
    assert not path.exists()


def test_a_disk_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Quarantine(path).add(["a", "b"], tick=1, reason="x")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        Quarantine(path).release(["a"])
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("line", ["{torn", "[1]", '{"tick": 1}', "3"])
def test_a_line_that_is_none_is_shown(path: Path, line: str) -> None:
    path.write_text(json.dumps({"id": "a"}) + "\n" + line + "\n")
    with pytest.raises(ValueError, match="expected lines with an id, a tick and a reason, got"):
        Quarantine(path)


def test_without_a_file_it_is_kept_in_memory() -> None:
    quarantine = Quarantine(None)
    quarantine.add(["a"], tick=1, reason="x")
    quarantine.release(["a"])
    assert quarantine.ids == set()


def test_a_last_line_cut_short_by_a_kill_is_lost_alone(path: Path) -> None:
    Quarantine(path).add(["a", "b"], tick=1, reason="x")
    path.write_bytes(path.read_bytes()[:-9])
    again = Quarantine(path)
    assert again.ids == {"a"}
    again.add(["c"], tick=2, reason="y")
    assert Quarantine(path).ids == {"a", "c"}  # the next start does not stumble over it either


def test_a_file_mended_by_hand_needs_no_last_line_feed(path: Path) -> None:
    path.write_text('{"id": 5}')
    quarantine = Quarantine(path)
    quarantine.add(["c"], tick=2, reason="y")
    assert Quarantine(path).ids == {"5", "c"}
    quarantine.release(["5"])
    assert Quarantine(path).ids == {"c"}


def test_bytes_that_are_no_text_are_named_with_their_file(path: Path) -> None:
    path.write_bytes(b"\xff\n")
    with pytest.raises(ValueError, match=r"quarantine.jsonl: expected UTF-8"):
        Quarantine(path)


def test_what_a_full_disk_did_not_take_is_written_with_the_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine = Quarantine(path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        assert quarantine.add(["a"], tick=1, reason="x") == ["a"]
        assert quarantine.trouble == {"not_written": "[Errno 28] No space left on device"}
    quarantine.add(["b"], tick=2, reason="y")
    assert quarantine.trouble == {}
    assert Quarantine(path).ids == {"a", "b"}
