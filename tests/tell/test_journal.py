from __future__ import annotations

import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rerail.tell import journal
from rerail.tell.journal import Journal
from rerail.tell.listeners import Listeners


def test_every_line_is_valid_json_even_for_nan(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    book.write("reading", 1, values={"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5})
    book.close()
    (line,) = (tmp_path / "journal.jsonl").read_text().splitlines()
    values = json.loads(line, parse_constant=lambda name: pytest.fail(f"not JSON: {name}"))["values"]
    assert values == {"a": "nan", "b": "inf", "c": "-inf", "d": 1.5}


def test_a_record_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    book.write("note", 3, text="here")
    (record,) = journal.read(tmp_path)
    assert (record["v"], record["kind"], record["tick"], record["text"]) == (1, "note", 3, "here")
    book.close()


def test_a_full_file_is_rotated_and_read_in_order(tmp_path: Path) -> None:
    book = Journal(tmp_path, rotate_bytes=500)
    for tick in range(50):
        book.write("note", tick, text="x" * 50)
    book.close()
    assert len(list(tmp_path.glob("journal-*.jsonl"))) > 5
    assert [record["tick"] for record in journal.read(tmp_path)] == list(range(50))


def test_a_rotation_while_it_is_read_loses_and_repeats_nothing_of_what_was_there(tmp_path: Path) -> None:
    book = Journal(tmp_path, rotate_bytes=500)
    for tick in range(40):
        book.write("note", tick, text="old")
    records = journal.read(tmp_path)
    found = [next(records)["tick"]]
    for tick in range(40, 80):
        book.write("note", tick, text="new")
    book.close()
    found += [record["tick"] for record in records]
    assert found[:40] == list(range(40))
    assert found == sorted(set(found))


def test_appending_after_a_torn_line_loses_only_that_line(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    for tick in range(3):
        book.write("note", tick, text="x")
    book.close()
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    book = Journal(tmp_path)
    book.write("note", 9, text="y")
    book.close()
    texts = [(record["tick"], record["text"]) for record in journal.read(tmp_path)]
    assert texts == [(0, "x"), (1, "x"), (0, "torn line"), (9, "y")]


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no run folder: it has no journal\.jsonl; give the folder of a run"):
        list(journal.read(tmp_path))


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"v": 99, "kind": "note", "tick": 0}\n')
    with pytest.raises(ValueError, match="has format 99, this rerail reads up to 1; update rerail"):
        list(journal.read(tmp_path))


def test_a_listener_that_fails_is_journalled_and_the_others_go_on(tmp_path: Path) -> None:
    def broken(_: dict[str, Any]) -> None:
        raise OSError("no such server")

    seen: list[int] = []
    book = Journal(tmp_path)
    listeners = Listeners(book, (broken, lambda record: seen.append(record["tick"])))
    for tick in range(5):
        book.write("note", tick, text="x")
    listeners.close(5)
    book.close()
    assert seen == list(range(5))
    (note,) = [record for record in journal.read(tmp_path) if record["text"] == "listener failed"]
    assert note["data"] == {"listener": "broken", "error": "OSError: no such server"}


def test_a_slow_listener_never_holds_up_the_writer(tmp_path: Path) -> None:
    gate = threading.Event()
    book = Journal(tmp_path)
    listeners = Listeners(book, (lambda _: gate.wait(30),), bound=10)
    began = time.perf_counter()
    for tick in range(500):
        book.write("note", tick, text="x")
    assert time.perf_counter() - began < 5
    assert listeners.dropped >= 480
    gate.set()
    listeners.close(500)
    book.close()
    *_, last = journal.read(tmp_path)
    assert last["text"] == "listener missed records"
    assert last["data"]["records"] == listeners.dropped


def test_a_full_disk_loses_records_but_not_the_run(tmp_path: Path) -> None:
    class Full:
        closed = False

        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    book = Journal(tmp_path)
    real, book._file = book._file, Full()
    book.write("note", 1, text="lost")
    book.write("note", 2, text="lost too")
    book._file = real
    book.write("note", 3, text="room again")
    book.close()
    told, after = journal.read(tmp_path)
    assert told["text"] == "records lost"
    assert told["data"] == {"records": 2, "error": "[Errno 28] No space left on device"}
    assert after["tick"] == 3


def test_a_line_that_the_disk_cut_short_takes_no_other_with_it(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    real = book._file

    class Nearly:  # room for so many bytes more, and then for none
        closed = False
        room = 20

        def write(self, line: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            self.room, written = 0, real.write(line[: self.room])
            return int(written)

        def tell(self) -> int:
            return int(real.tell())

    book._file = Nearly()
    book.write("note", 1, text="torn")
    book.write("note", 2, text="lost")
    book._file = real
    book.write("note", 3, text="room again")
    book.write("note", 4, text="and more")
    book.close()
    records = list(journal.read(tmp_path))
    assert [one["text"] for one in records] == ["torn line", "records lost", "room again", "and more"]
    assert records[1]["data"] == {"records": 2, "error": "[Errno 28] No space left on device"}


def test_a_rotation_that_fails_loses_nothing_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Journal(tmp_path, rotate_bytes=200)
    for tick in range(6):
        book.write("note", tick, text="x" * 50)
    parts = len(list(tmp_path.glob("journal-*.jsonl")))
    assert parts > 1
    with monkeypatch.context() as patch:

        def full(_: object) -> None:
            raise OSError(24, "Too many open files")

        patch.setattr("os.listdir", full)
        for tick in range(6, 12):
            book.write("note", tick, text="x" * 50)
        assert len(list(tmp_path.glob("journal-*.jsonl"))) == parts
    for tick in range(12, 15):
        book.write("note", tick, text="x" * 50)
    book.close()
    assert len(list(tmp_path.glob("journal-*.jsonl"))) > parts
    assert [record["tick"] for record in journal.read(tmp_path)] == list(range(15))


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    name = b"clip-\xff.wav".decode(errors="surrogateescape")  # what the system gives for such a file
    book = Journal(tmp_path)
    book.write("note", 1, text="quarantined", data={"ids": [name]})
    book.close()
    (record,) = journal.read(tmp_path)
    assert record["data"]["ids"] == [name]


def test_two_threads_write_whole_lines_each_in_order_over_rotations(tmp_path: Path) -> None:
    book = Journal(tmp_path, rotate_bytes=2000)

    def write(text: str) -> None:
        for tick in range(400):
            book.write("note", tick, text=text, data={"padding": "x" * 40})

    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "other")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    book.close()
    records = list(journal.read(tmp_path))
    for text in ("one", "other"):
        assert [one["tick"] for one in records if one["text"] == text] == list(range(400))
    assert len(records) == 800
    assert book.lost == {}
