"""Follow a journal that another process writes: what is there, then what is new, at the cost of the new bytes alone.

The files of a journal are numbered: `journal-0001.jsonl` is 1, and `journal.jsonl` has the number that it will be
renamed to. So a place in a journal stays right over a rotation, over a restart of the reader, and over a copy of the
folder. A last line without its end is left for the next look.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, final

from rerail.tell import journal

_HEAD = 128  # bytes at the start of a file, enough for the time of its first record


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """How far a journal was read; `dataclasses.asdict` and `Place(**...)` are the way to a file and back.

    `number` is that of the file, `offset` what was read of it in bytes, `head` a digest of the first of these.
    """

    number: int = 0
    offset: int = 0
    head: str = ""


@final
class Tail:
    """Reads a run's journal from a place on, look by look.

    `place` is that after the newest record which was handed out. `replaced` counts how often another journal was found
    where this one was: what was gathered before belongs to a run that is gone.
    """

    def __init__(self, folder: Path, place: Place | None = None) -> None:
        self.folder, self.place, self.replaced = folder, place or Place(), 0

    def poll(self) -> Iterator[dict[str, Any]]:
        """Yield the records that are new; none where the journal is not there yet.

        It may be left half way and asked again. Where the journal was replaced nothing comes, and the next look starts
        at the beginning of the new one.

        Raises:
            ValueError: for a journal of a newer format.
        """
        numbers = journal.numbers(self.folder)
        if numbers[-1] < self.place.number:
            self._begin_anew()
            return
        for number in numbers:
            if number >= self.place.number and not (yield from self._file(number)):
                return

    def _file(self, number: int) -> Generator[dict[str, Any], None, bool]:
        """Yield what is new in one file; return whether that was all it will ever hold, so that the next is due."""
        file, full = _open(self.folder, number)
        if file is None:
            return False
        with file:
            size, head = os.fstat(file.fileno()).st_size, file.read(_HEAD)
            if number > self.place.number:
                self.place = Place(number=number)
            if self.place.offset > size or _digest(head[: self.place.offset]) != self.place.head:
                self._begin_anew()
                return False
            yield from self._lines(file, size, head, full=full)
        return full

    def _lines(self, file: BinaryIO, size: int, head: bytes, *, full: bool) -> Iterator[dict[str, Any]]:
        start = self.place.offset
        file.seek(start)
        for line in file:
            end = start + len(line)
            if end > size or not (line.endswith(b"\n") or full):  # still being written
                return
            digest = self.place.head if start >= _HEAD else _digest(head[:end])
            self.place = Place(number=self.place.number, offset=end, head=digest)
            if line.strip():
                yield journal.parse(line, f"{Path(file.name).name}, byte {start}")
            start = end

    def _begin_anew(self) -> None:
        self.place, self.replaced = Place(), self.replaced + 1


def near_end(folder: Path, most: int) -> Place:
    """The place of a line that has at most so many bytes from there to the end of the journal."""
    for number in reversed(journal.numbers(folder)):
        file, _ = _open(folder, number)
        if file is None:
            continue
        with file:
            size, head = os.fstat(file.fileno()).st_size, file.read(_HEAD)
            if size > most:
                file.seek(size - most)
                offset = size - most + len(file.readline())
                return Place(number=number, offset=offset, head=_digest(head[:offset]))
        most -= size
    return Place()


def _open(folder: Path, number: int) -> tuple[BinaryIO | None, bool]:
    """Open a file under the name that it has by now; say whether it is full. None where it is not there."""
    if (full := _opened(folder / journal.rotated(number))) is not None:
        return full, True
    newest = _opened(folder / journal.NAME)
    full = _opened(folder / journal.rotated(number))  # renamed in between: what was opened may be the next one
    if full is None:
        return newest, False
    if newest is not None:
        newest.close()
    return full, True


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _digest(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=8).hexdigest() if head else ""
