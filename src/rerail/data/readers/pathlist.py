"""Lists of recordings: a file with `path|text`, `path|text|speaker` or `path|text|speaker|language` lines.

Tabs separate as well as bars. Paths are absolute, or relative to the list's folder. A first line of column names gives
another order: `audio_file|text` as F5 writes it, or `path|speaker|text`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, sifted

ORDER = ("path", "text", "speaker", "language")
NAMES = {one: one for one in ORDER} | {"audio_file": "path", "audio": "path", "speaker_name": "speaker"}


def read(listed: Path) -> Listing:
    """Read a list; the id of a clip is its path without ending, as far as that lies in the list's folder.

    Raises:
        ValueError: for a file that is not UTF-8, or whose column names say no path or no text.
    """
    try:
        lines = listed.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{listed}: not UTF-8 at byte {error.start}; save the file with that encoding") from error
    odd = list[LeftOut]()
    clips = list(_clips(listed, lines, odd))  # first: it fills `odd`
    return sifted(clips, {}, odd)


def named(listed: Path) -> bool:
    """Say whether a file is a list whose first line names a column of paths."""
    if not listed.is_file():
        return False
    with listed.open(encoding="utf-8-sig", errors="replace") as file:
        names = [one.lower() for one in _columns(file.readline())]
    return set(names) <= set(NAMES) and "path" in {NAMES[one] for one in names}


def _clips(listed: Path, lines: list[str], odd: list[LeftOut]) -> Iterator[Clip]:
    order, start = _order(listed, lines[0])
    for number, line in enumerate(lines[start:], start + 1):
        columns = _columns(line)
        if 2 <= len(columns) <= len(order):  # noqa: PLR2004 - a path and a text
            yield _clip(listed.parent, dict(zip(order, columns, strict=False)))
        elif line.strip():
            told = f"{len(columns)} column(s), expected 2 to {len(order)}"
            odd.append(LeftOut(id=f"line {number}", kind="text", reason=told))


def _order(listed: Path, first: str) -> tuple[tuple[str, ...], int]:
    """Return the order of the columns, and in which line the clips begin."""
    names = [one.lower() for one in _columns(first)]
    if not set(names) <= set(NAMES):
        return ORDER, 0
    order = tuple(NAMES[one] for one in names)
    if missing := [one for one in ("path", "text") if one not in order]:
        raise ValueError(f"{listed}: no column {' or '.join(missing)} among {', '.join(names)}; name it in line 1")
    return order, 1


def _columns(line: str) -> list[str]:
    return [one.strip() for one in line.split("|" if "|" in line else "\t")]


def _clip(folder: Path, given: dict[str, str]) -> Clip:
    path = folder / given["path"]  # an absolute path stays as it is
    near = path.relative_to(folder) if path.is_relative_to(folder) else Path(*path.parts[1:])
    return Clip(
        id="_".join(near.with_suffix("").parts),
        path=path,
        text=given.get("text", ""),
        speaker=given.get("speaker", ""),
        language=given.get("language", ""),
    )
