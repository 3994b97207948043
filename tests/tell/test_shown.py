from __future__ import annotations

from pathlib import Path

from rerail.tell.shown import Shown


def test_numbers_that_are_not_finite_stay_and_are_counted(tmp_path: Path) -> None:
    shown, record = (
        Shown(tmp_path),
        {"kind": "reading", "tick": 3, "values": {"a": "nan", "b": "-inf", "c": 1.5, "d\n": 2}},
    )
    shown.update(record)
    curves = shown.curves(record)
    assert str(curves.pop("a")) == "nan"
    assert curves == {"b": float("-inf"), "c": 1.5, "d\\n": 2.0, "nonfinite": 2.0}


def test_what_was_said_at_one_tick_adds_up(tmp_path: Path) -> None:
    shown, told = Shown(tmp_path), []
    for tick, text in ((1, "a"), (1, "b"), (2, "c")):
        record = {"kind": "note", "tick": tick, "text": text, "data": {}}
        shown.update(record)
        told.append(shown.events(record))
    assert told == [["tick 1: a"], ["tick 1: a", "tick 1: b"], ["tick 2: c"]]


def test_a_file_that_is_gone_or_of_another_kind_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    shown = Shown(tmp_path)
    record = {"kind": "artifact", "tick": 1, "path": "a.png", "media": "image/png"}
    assert shown.file(record, "image/png") == tmp_path / "a.png"
    assert shown.file(record, "audio/wav") is None
    assert shown.file(record | {"path": "gone.png"}, "image/png") is None
    assert shown.file({"kind": "note", "tick": 1}, "image/png") is None
