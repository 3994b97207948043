"""Label files: when each phone of a recording ends. They are the true alignment of a corpus that has them.

The format is that of festvox: lines up to `#` are a header, then `end colour name` a line, the end in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone, and the second at which it ends; it begins where the one before ends."""

    name: str
    end: float


def read(path: Path) -> tuple[Phone, ...]:
    """Read a label file.

    Raises:
        ValueError: for a line of another form, or ends that do not rise.
    """
    lines = path.read_text(encoding="utf8").splitlines()
    start = lines.index("#") + 1 if "#" in lines else 0
    phones = tuple(_phone(path, number, line) for number, line in enumerate(lines[start:], start + 1) if line.strip())
    if any(later.end < earlier.end for earlier, later in pairwise(phones)):
        raise ValueError(f"{path}: phones end before those ahead of them; mend the file or remove it")
    return phones


def found(folder: Path) -> dict[str, Path]:
    """Return the label files in folders `lab` at or below `folder`, by clip id."""
    return {path.stem: path for path in sorted(folder.rglob("lab/*.lab"))}


def written(phones: Sequence[Phone]) -> str:
    """Return the content of a label file."""
    return "\n".join(["#", *(f"{phone.end:.5f} 125 {phone.name}" for phone in phones), ""])


def cut(phones: Sequence[Phone], first: float, end: float) -> tuple[Phone, ...]:
    """Return the phones of a recording that was cut to `first` to `end` seconds; those cut away are gone."""
    kept, begin = list[Phone](), 0.0
    for phone in phones:
        if phone.end > first and begin < end:
            kept.append(Phone(name=phone.name, end=min(phone.end, end) - first))
        begin = phone.end
    return tuple(kept)


def _phone(path: Path, number: int, line: str) -> Phone:
    parts = line.split()
    try:
        return Phone(name=parts[2], end=float(parts[0]))
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path}: line {number} is {line!r}, expected `end colour phone`; mend the line") from error
