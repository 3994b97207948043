"""Many arrays in few files, memory-mapped: what was written stays, and whoever is interrupted loses little.

A pack is `NAME.f32`, float32 numbers end to end, and `NAME.tsv`, one line an array: its key, where it begins (in
numbers), its rows and columns. A line is written after its numbers are on the disk. Each writer has a pack of its own,
so that several may write into one folder; a pack that was left is still good.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

NUMBERS, INDEX = ".f32", ".tsv"
TOGETHER = 64  # arrays between two waits for the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an array lies: in which file of numbers, from which number on, and its shape."""

    numbers: Path
    start: int
    rows: int
    columns: int

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.start + self.rows * self.columns


def places(folder: Path) -> dict[str, Place]:
    """Return where each array of a folder lies, by its key; without those of which a part is missing."""
    found = dict[str, Place]()
    for index in sorted(folder.glob(f"*{INDEX}")):
        numbers = index.with_suffix(NUMBERS)
        size = numbers.stat().st_size // 4 if numbers.is_file() else 0
        found |= {key: place for key, place in _read(index, numbers) if place.end <= size}
    return found


def mapped(wanted: Mapping[str, Place]) -> dict[str, Tensor]:
    """Return the arrays `(rows, columns)` at their places, float32; writing to one changes no file."""
    files = {one.numbers for one in wanted.values()}
    maps = {path: np.memmap(path, np.float32, mode="c") for path in files}
    return {
        key: torch.from_numpy(maps[one.numbers][one.start : one.end].reshape(one.rows, one.columns))
        for key, one in wanted.items()
    }


@dataclass(slots=True)
class Writer:
    """Writes arrays to a pack."""

    numbers: IO[bytes]
    index: Path
    at: int = 0
    waiting: list[str] = field(default_factory=list)

    def add(self, key: str, array: Tensor) -> None:
        """Add `(rows, columns)`, float32."""
        self.numbers.write(array.contiguous().numpy().tobytes())
        self.waiting.append(f"{key}\t{self.at}\t{array.shape[0]}\t{array.shape[1]}\n")
        self.at += array.numel()
        if len(self.waiting) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Wait until all numbers are on the disk, then say where they are."""
        self.numbers.flush()
        os.fsync(self.numbers.fileno())
        with self.index.open("a", encoding="utf8") as index:
            index.write("".join(self.waiting))
        self.waiting.clear()


@contextmanager
def writer(folder: Path) -> Iterator[Writer]:
    """Open a new pack in a folder; what was added before an error is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=NUMBERS, prefix="pack-", dir=folder)
    Path(name).chmod(0o644)
    with os.fdopen(handle, "wb") as numbers:
        pack = Writer(numbers=numbers, index=Path(name).with_suffix(INDEX))
        try:
            yield pack
        finally:
            pack.settle()
            if not pack.at:
                Path(name).unlink()
                pack.index.unlink()


def _read(index: Path, numbers: Path) -> Iterator[tuple[str, Place]]:
    for line in index.read_text(encoding="utf8", errors="replace").splitlines(keepends=True):
        parts = line.rstrip("\n").split("\t")
        if line.endswith("\n") and len(parts) == 4 and all(one.isdecimal() for one in parts[1:]):  # noqa: PLR2004
            start, rows, columns = map(int, parts[1:])
            yield parts[0], Place(numbers=numbers, start=start, rows=rows, columns=columns)
