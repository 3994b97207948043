"""The runs below a folder: found by their journals, also those that appear while somebody looks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rerail.tell import fields, journal

DEPTH = 4  # folders below the one that was named
_LOOKED_AT = 20_000  # entries of folders; whoever names the root of a disk gets what was found until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A run: its folder, its name as text (the path below the folder that was named), when it was written last.

    `key` stands for it in addresses, and is made of that path.
    """

    key: str
    name: str
    folder: Path
    changed: float


def find(folder: Path, depth: int = DEPTH) -> list[Found]:
    """The runs in a folder, which may be one itself, the newest first. Links to folders are not followed."""
    found = [_found(folder, run) for run in _walk(folder, depth, [_LOOKED_AT])]
    return sorted((one for one in found if one is not None), key=lambda one: (-one.changed, one.name))


def _found(folder: Path, run: Path) -> Found | None:
    below = run.relative_to(folder)
    named = os.fsencode(below)
    try:
        changed = max((run / journal.NAME).stat().st_mtime, 0.0)
    except OSError:  # it was deleted just now, or its journal is being rotated
        return None
    name = fields.plain(below if below.parts else run.resolve().name)
    return Found(key=hashlib.sha256(named).hexdigest()[:12], name=name, folder=run, changed=changed)


def _walk(folder: Path, depth: int, left: list[int]) -> Iterator[Path]:
    inner, left[0] = _entries(folder, left[0])
    if any(name == journal.NAME for name, _ in inner):
        yield folder
    elif depth:
        for name, is_folder in inner:
            if is_folder and not name.startswith(".") and left[0] > 0:
                yield from _walk(folder / name, depth - 1, left)


def _entries(folder: Path, most: int) -> tuple[list[tuple[str, bool]], int]:
    """Names in a folder and whether each is one, `most` of them; and how many may still be looked at."""
    found: list[tuple[str, bool]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= most:
                    break
                found.append((entry.name, entry.is_dir(follow_symlinks=False)))
    except OSError:  # gone, or not ours to read: no run is seen there
        return [], most
    return sorted(found), most - len(found)
