from __future__ import annotations

import json
from pathlib import Path

import pytest

from rerail.supervise.tail import Place, Tail
from rerail.tell.journal import Journal


def ticks(tail: Tail) -> list[int]:
    seen = []
    while records := tail.read():
        seen += [record["tick"] for record in records]
    return seen


def test_it_waits_for_a_journal_and_follows_it_over_rotations(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "run")
    assert tail.read() == []
    journal = Journal(tmp_path / "run", rotate_bytes=200)
    seen = []
    for tick in range(20):
        journal.write("reading", tick, values={"loss/total": 1.0})
        if tick % 7 == 0:
            seen += ticks(tail)
    assert seen + ticks(tail) == list(range(20))
    assert tail.place.files > 3
    assert tail.read() == []
    journal.close()


def test_it_goes_on_at_its_place(tmp_path: Path) -> None:
    journal = Journal(tmp_path, rotate_bytes=200)
    for tick in range(7):
        journal.write("reading", tick)
    first = Tail(tmp_path)
    assert ticks(first) == list(range(7))
    journal.write("reading", 7)
    assert ticks(Tail(tmp_path, Place(*first.place))) == [7]
    journal.close()


def test_a_line_that_is_being_written_is_waited_for_and_a_torn_one_passed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write("reading", 1)
    journal.close()
    whole = json.dumps({"v": 1, "kind": "reading", "tick": 2, "time": 1.0})
    path, tail = tmp_path / "journal.jsonl", Tail(tmp_path)
    with path.open("a") as file:
        file.write(whole[:20])
    assert ticks(tail) == [1]
    with path.open("a") as file:
        file.write(whole[20:] + "\n" + whole[:20])
    assert ticks(tail) == [2]
    resumed = Journal(tmp_path)  # who resumes after a kill ends the torn line
    resumed.write("reading", 3)
    resumed.close()
    assert [(one["kind"], one["tick"]) for one in tail.read()] == [("note", 0), ("reading", 3)]


@pytest.mark.parametrize("line", ["[]", '"text"', "{}", '{"v": "x"}', "\xff"])
def test_lines_of_other_hands_are_torn_ones(tmp_path: Path, line: str) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line.encode("latin1") + b"\n")
    assert [one["text"] for one in Tail(tmp_path).read()] == ["torn line"]


def test_a_journal_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"v": 9}\n')
    with pytest.raises(ValueError, match=r"format 9.*update rerail"):
        Tail(tmp_path).read()
