"""Many arrays in few files, memory-mapped: what was written stays, and whoever is interrupted loses little.

A pack is `NAME.f32` (or `.i16`, `.u8`), numbers of that type end to end, and `NAME.tsv`, one line an array: its key,
where it begins (in numbers), and its shape. A line is written after its numbers are on the disk. Each writer has a pack
of its own, so that several may write into one folder; a pack that was left is still good.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

INDEX = ".tsv"
ENDINGS = {torch.float32: ".f32", torch.int16: ".i16", torch.uint8: ".u8"}
NUMBERS: Mapping[str, np.dtype[Any]] = {
    ".f32": np.dtype(np.float32),
    ".i16": np.dtype(np.int16),
    ".u8": np.dtype(np.uint8),
}
TOGETHER = 64  # arrays between two waits for the disk
LEAST = 3  # columns of a line: key, start, and one side


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an array lies: in which file of numbers, from which number on, and its shape."""

    numbers: Path
    start: int
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.start + math.prod(self.shape)


def places(folder: Path) -> dict[str, Place]:
    """Return where each array of a folder lies, by its key; without those of which a part is missing."""
    found = dict[str, Place]()
    for index in sorted(folder.glob(f"*{INDEX}")):
        for numbers in filter(Path.is_file, (index.with_suffix(ending) for ending in NUMBERS)):
            size = numbers.stat().st_size // NUMBERS[numbers.suffix].itemsize
            found |= {key: place for key, place in _read(index, numbers) if place.end <= size}
    return found


def mapped(wanted: Mapping[str, Place]) -> dict[str, Tensor]:
    """Return the arrays at their places, of the type and shape that was added; writing to one changes no file."""
    files = {one.numbers for one in wanted.values()}
    maps = {path: np.memmap(path, NUMBERS[path.suffix], mode="c") for path in files}
    return {
        key: torch.from_numpy(maps[one.numbers][one.start : one.end].reshape(one.shape)) for key, one in wanted.items()
    }


@dataclass(slots=True)
class Writer:
    """Writes arrays of one type to a pack."""

    numbers: IO[bytes]
    index: Path
    dtype: torch.dtype
    at: int = 0
    waiting: list[str] = field(default_factory=list)

    def add(self, key: str, array: Tensor) -> None:
        """Add an array of any shape with at least one side, of the pack's type."""
        assert array.dtype == self.dtype, array.dtype
        self.numbers.write(array.contiguous().numpy().tobytes())
        self.waiting.append("\t".join([key, str(self.at), *map(str, array.shape)]) + "\n")
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
def writer(folder: Path, dtype: torch.dtype = torch.float32) -> Iterator[Writer]:
    """Open a new pack in a folder; what was added before an error is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=ENDINGS[dtype], prefix="pack-", dir=folder)
    Path(name).chmod(0o644)
    with os.fdopen(handle, "wb") as numbers:
        pack = Writer(numbers=numbers, index=Path(name).with_suffix(INDEX), dtype=dtype)
        try:
            yield pack
        finally:
            pack.settle()
            if not pack.at:
                Path(name).unlink()
                pack.index.unlink()


def _read(index: Path, numbers: Path) -> Iterator[tuple[str, Place]]:
    for line in index.read_text(encoding="utf8", errors="replace").splitlines(keepends=True):
        key, *parts = line.rstrip("\n").split("\t")
        if line.endswith("\n") and len(parts) >= LEAST - 1 and all(one.isdecimal() for one in parts):
            start, *shape = map(int, parts)
            yield key, Place(numbers=numbers, start=start, shape=tuple(shape))
