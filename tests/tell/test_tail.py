from __future__ import annotations

import json
import shutil
import threading
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import pytest

from rerail.tell import journal
from rerail.tell.journal import Journal
from rerail.tell.tail import Place, Tail, near_end


def ticks(tail: Tail) -> list[int]:
    return [record["tick"] for record in tail.poll()]


def write(folder: Path, numbers: range, rotate_bytes: int = 2**26) -> None:
    book = Journal(folder, rotate_bytes)
    for number in numbers:
        book.write("reading", number, values={"loss/mel": number})
    book.close()


def test_what_is_there_comes_first_then_what_is_new(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "run")
    assert ticks(tail) == []  # nobody has begun yet
    write(tmp_path / "run", range(3))
    assert ticks(tail) == [0, 1, 2]
    assert ticks(tail) == []
    write(tmp_path / "run", range(3, 5))
    assert ticks(tail) == [3, 4]


@pytest.mark.parametrize("looks", [1, 3, 50])
def test_rotation_loses_and_repeats_nothing(tmp_path: Path, looks: int) -> None:
    tail, seen = Tail(tmp_path), []
    for first in range(0, 300, looks):
        write(tmp_path, range(first, min(300, first + looks)), rotate_bytes=500)
        seen += ticks(tail)
    assert seen == list(range(300))
    assert len(journal.numbers(tmp_path)) > 20


def test_rotation_while_a_look_is_under_way(tmp_path: Path) -> None:
    write(tmp_path, range(10))
    tail = Tail(tmp_path)
    seen = [record["tick"] for record in islice(tail.poll(), 4)]
    (tmp_path / journal.NAME).rename(tmp_path / journal.rotated(1))
    write(tmp_path, range(10, 20))
    assert seen + ticks(tail) == list(range(20))


def test_a_writer_in_another_thread_is_followed(tmp_path: Path) -> None:
    tail, seen = Tail(tmp_path), []
    writer = threading.Thread(target=write, args=(tmp_path, range(2000), 5000))
    writer.start()
    while writer.is_alive():
        seen += ticks(tail)
    writer.join()
    assert seen + ticks(tail) + ticks(tail) == list(range(2000))


def test_the_rest_of_a_line_is_waited_for(tmp_path: Path) -> None:
    line = json.dumps({"v": 1, "kind": "note", "tick": 7, "time": 1.0, "text": "\u00e9" * 200}).encode() + b"\n"
    tail = Tail(tmp_path)
    with (tmp_path / journal.NAME).open("ab", buffering=0) as file:
        for number in range(len(line)):
            file.write(line[number : number + 1])
            assert ticks(tail) == ([7] if number == len(line) - 1 else [])


def test_a_line_that_a_kill_tore_is_a_note(tmp_path: Path) -> None:
    write(tmp_path, range(2))
    with (tmp_path / journal.NAME).open("ab") as file:
        file.write(b'{"v": 1, "kind": "rea')
    tail = Tail(tmp_path)
    assert ticks(tail) == [0, 1]
    write(tmp_path, range(2, 3))  # whoever resumes ends the line first
    assert [record.get("text", record["tick"]) for record in tail.poll()] == ["torn line", 2]


def test_a_place_goes_to_a_file_and_back(tmp_path: Path) -> None:
    write(tmp_path / "run", range(40), rotate_bytes=500)
    first = Tail(tmp_path / "run")
    seen = [record["tick"] for record in islice(first.poll(), 13)]
    kept = json.dumps(asdict(first.place))
    write(tmp_path / "run", range(40, 60), rotate_bytes=500)
    moved = shutil.copytree(tmp_path / "run", tmp_path / "elsewhere")
    assert seen + ticks(Tail(moved, Place(**json.loads(kept)))) == list(range(60))


def test_a_place_counts_each_record_that_was_handed_out(tmp_path: Path) -> None:
    write(tmp_path, range(5))
    tail = Tail(tmp_path)
    for record in tail.poll():
        assert ticks(Tail(tmp_path, tail.place)) == list(range(record["tick"] + 1, 5))


@pytest.mark.parametrize("longer", [0, 30])
def test_another_journal_in_its_place_is_read_from_its_beginning(tmp_path: Path, longer: int) -> None:
    write(tmp_path, range(10))
    tail = Tail(tmp_path)
    ticks(tail)
    kept = tail.place
    (tmp_path / journal.NAME).unlink()
    write(tmp_path, range(100, 103 + longer))
    for follower in (tail, Tail(tmp_path, kept)):
        assert ticks(follower) == []
        assert follower.replaced == 1
        assert ticks(follower) == list(range(100, 103 + longer))


def test_a_run_that_began_anew_after_rotations(tmp_path: Path) -> None:
    write(tmp_path / "run", range(40), rotate_bytes=500)
    tail = Tail(tmp_path / "run")
    ticks(tail)
    shutil.rmtree(tmp_path / "run")
    assert ticks(tail) == []
    write(tmp_path / "run", range(3))
    assert [*ticks(tail), *ticks(tail)] == [0, 1, 2]
    assert tail.replaced == 1


def test_older_files_may_be_cleared_away(tmp_path: Path) -> None:
    write(tmp_path, range(40), rotate_bytes=500)
    tail = Tail(tmp_path)
    seen = [record["tick"] for record in islice(tail.poll(), 13)]
    for number in journal.numbers(tmp_path)[:3]:
        (tmp_path / journal.rotated(number)).unlink()
    write(tmp_path, range(40, 80), rotate_bytes=500)  # and no younger one is written over
    rest = ticks(tail)
    assert rest == list(range(rest[0], 80))
    assert rest[0] >= len(seen)


def test_a_look_reads_new_bytes_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, range(1000))
    tail = Tail(tmp_path)
    ticks(tail)
    write(tmp_path, range(1000, 1002))
    parsed = []
    monkeypatch.setattr(journal, "parse", lambda line, where: parsed.append(where) or json.loads(line))
    assert ticks(tail) == [1000, 1001]
    assert len(parsed) == 2


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / journal.NAME).write_text('{"v": 9}\n')
    with pytest.raises(ValueError, match="update rerail"):
        ticks(Tail(tmp_path))


@pytest.mark.parametrize("most", [10, 300, 1500, 100_000])
def test_the_place_near_the_end_is_that_of_a_whole_line(tmp_path: Path, most: int) -> None:
    write(tmp_path, range(40), rotate_bytes=500)
    tail = Tail(tmp_path, near_end(tmp_path, most))
    seen = ticks(tail)
    assert seen == list(range(40 - len(seen), 40))
    assert sum(len(path.read_bytes()) for path in tmp_path.iterdir()) > 2000
    assert len(seen) * 50 <= max(most, 50) or most == 100_000
    write(tmp_path, range(40, 42))
    assert ticks(tail) == [40, 41]


def test_without_a_journal_the_end_is_the_beginning(tmp_path: Path) -> None:
    assert near_end(tmp_path / "nowhere", 100) == Place()
