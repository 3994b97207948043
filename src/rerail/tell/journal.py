"""The journal: one JSON object a line, written before anything is done, read by everything that a person sees.

A line is `{"v": 1, "kind": ..., "tick": n, "time": unix seconds, ...}`; docs/journal.md has every kind. Each line goes
to the operating system at once, so a killed process loses at most the line that it was writing. A full file is
renamed `journal-0001.jsonl` and so on; `journal.jsonl` is always the newest. Several threads may write: a line, with
the renaming that it may lead to, is one act.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from rerail.core import plain

VERSION = 1
NAME = "journal.jsonl"
START, RESUME = BEGINS = ("start", "resume")  # the notes with which a process begins to train
RELEASED = "released from quarantine"  # the note that another process may write, also long after the end
_ROTATED = re.compile(r"journal-(\d+)\.jsonl")
Listener = Callable[[dict[str, Any]], None]


class Journal:
    """Appends records to a run's journal; `folder=None` keeps none. Listeners are handed every record."""

    def __init__(self, folder: Path | None, rotate_bytes: int = 64 * 2**20) -> None:
        self.rotate_bytes = rotate_bytes
        self.listeners: list[Listener] = []
        self.lost: dict[str, Any] = {}
        self._torn = False  # the last line was cut short, and is to be ended
        self._writing = threading.RLock()  # a signal handler may write while its own thread does
        self._file: Any = None
        if folder is not None:
            self._path = folder / NAME
            self._file = _open(self._path)

    def __del__(self) -> None:
        self.close()  # where a guard is dropped without its end

    def write(self, kind: str, tick: int, **fields: object) -> None:
        """Write one record. Numbers that are not finite become the strings "nan", "inf" and "-inf"."""
        given = plain.dump(fields)
        with self._writing:
            record = {"v": VERSION, "kind": kind, "tick": tick, "time": round(time.time(), 3), **given}
            if self._file is not None:
                line = json.dumps(record, ensure_ascii=False, allow_nan=False)
                self._append(line.encode(errors="backslashreplace") + b"\n")  # half a pair is JSON's own escape then
            for listener in self.listeners:
                listener(record)

    def _append(self, line: bytes) -> None:
        # A full disk must not end the run: what is lost is counted, and told as soon as there is room again.
        try:
            if self._file.closed:
                self._file = _open(self._path)
            if self.lost:
                note = {"v": VERSION, "kind": "note", "tick": 0, "time": 0.0, "text": "records lost", "data": self.lost}
                self._put(json.dumps(note).encode() + b"\n")
                self.lost = {}
            self._put(line)
        except OSError as error:
            self.lost = {"records": self.lost.get("records", 0) + 1, "error": str(error)}
            return
        if self._file.tell() > self.rotate_bytes:
            self._rotate()

    def _put(self, line: bytes) -> None:
        whole = b"\n" + line if self._torn else line
        if written := self._file.write(whole):
            self._torn = written < len(whole)
        if written < len(whole):  # so much the disk had room for; what raises is the next write
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _rotate(self) -> None:
        self._file.close()
        with suppress(OSError):  # no record is lost: the next one opens the file again, and it is tried again
            self._path.rename(self._path.with_name(rotated(_numbers(os.listdir(self._path.parent))[-1])))  # noqa: PTH208
            self._file = _open(self._path)


def _open(path: Path) -> Any:  # noqa: ANN401 (typeshed has no public name for an unbuffered binary file)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+b", buffering=0)
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":  # killed inside a line: end it, so that only that line is lost
            file.write(b"\n")
    return file


def read(folder: Path, passed: Callable[[int], None] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the records of a run, oldest first. A line that was torn comes as a note saying so.

    What is written after the reading has begun may be left out. `passed` is told the bytes of each line.

    Raises:
        ValueError: where the folder holds no journal, or one of a newer format.
    """
    with (run_folder(folder) / NAME).open("rb") as newest:  # before the others are listed: it may be renamed meanwhile
        for path in sorted(folder.glob("journal-*.jsonl")):
            with path.open("rb") as full:
                if os.path.sameopenfile(full.fileno(), newest.fileno()):
                    break
                yield from _records(full, path.name, passed)
        yield from _records(newest, NAME, passed)


def _records(lines: BinaryIO, name: str, passed: Callable[[int], None] | None) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if passed is not None:
            passed(len(line))
        if line.strip():
            yield parse(line, f"{name}:{number}")


def add_note(folder: Path, text: str, data: dict[str, Any]) -> None:
    """Add a note to the journal of a run, which may be training: a line is written whole or not at all."""
    tick = max((record["tick"] for record in read(folder)), default=0)
    journal = Journal(folder)
    journal.write("note", tick, text=text, data=data)
    journal.close()


def run_folder(folder: Path) -> Path:
    """Return the folder of a run.

    Raises:
        ValueError: where it holds no journal.
    """
    if not (folder / NAME).exists():
        raise ValueError(f"{folder} is no run folder: it has no {NAME}; give the folder of a run (runs/NAME)")
    return folder


def numbers(folder: Path) -> list[int]:
    """Return the numbers of a journal's files, oldest first; the last is what `journal.jsonl` will be renamed to."""
    try:
        return _numbers(os.listdir(folder))  # noqa: PTH208 (a look must be cheap: no path is made for each of the files)
    except OSError:
        return _numbers([])


def _numbers(names: Sequence[str]) -> list[int]:
    past = sorted(int(found[1]) for found in map(_ROTATED.fullmatch, names) if found)
    return [*past, past[-1] + 1 if past else 1]


def rotated(number: int) -> str:
    """Return the name of a file that is full."""
    return f"journal-{number:04d}.jsonl"


def parse(line: bytes, where: str) -> dict[str, Any]:
    """Return the record of a line; a note where it is none.

    Raises:
        ValueError: for a newer format.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("v"), int):
        return {"v": VERSION, "kind": "note", "tick": 0, "time": 0.0, "text": "torn line", "data": {"where": where}}
    if record["v"] > VERSION:
        raise ValueError(f"{where} has format {record['v']}, this rerail reads up to {VERSION}; update rerail")
    return record
