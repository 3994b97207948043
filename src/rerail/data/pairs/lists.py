"""Lists of pairs: a CSV or TSV file with named columns, or `image|audio|identity` lines.

Line 1 may name the columns in any order: `image`, `audio` and `identity`, and perhaps `speaker`, `language` and `id`.
Without names they stand in that order. Paths are absolute, or relative to the list's folder.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from rerail.data.listing import LeftOut
from rerail.data.pairs.pair import Pair, Pairing, composed, sifted

NAME = "pairs.csv"
ORDER = ("image", "audio", "identity", "speaker", "language", "id")
NEEDED = ORDER[:3]


def read(path: Path) -> Pairing:
    """Read a list, or the `pairs.csv` of a folder. A pair without an id is named by its two files.

    Raises:
        ValueError: for a list that is missing or not UTF-8, or of which no line can be used.
    """
    listed = path / NAME if path.is_dir() else path
    if not listed.is_file():
        raise ValueError(f"{listed}: no such list of pairs; give a file of image, audio and identity")
    try:
        text = listed.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{listed}: not UTF-8 at byte {error.start}; save the file with that encoding") from error
    odd = list[LeftOut]()
    pairs = list(_pairs(listed, text.splitlines(), odd))  # first: it fills `odd`
    return sifted(pairs, odd, str(listed))


def write(path: Path, pairs: Sequence[Pair]) -> None:
    """Write a list with named columns; files below its folder get paths relative to it."""
    with path.open("w", encoding="utf8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("id", *ORDER[:-1]))
        for one in pairs:
            image, audio = (_near(place, path.parent).as_posix() for place in (one.image, one.audio))
            table.writerow((one.id, image, audio, one.identity, one.speaker, one.language))


def _pairs(listed: Path, lines: Sequence[str], odd: list[LeftOut]) -> Iterator[Pair]:
    first = lines[0] if lines else ""
    order, start = _order(listed, next(csv.reader([first], delimiter=_delimiter(first)), []))
    rows = csv.reader(lines[start:], delimiter=_delimiter(first))
    for cells in rows:
        given = dict(zip(order, (one.strip() for one in cells), strict=False))
        if len(cells) > len(order) or not all(given.get(one) for one in NEEDED):
            if any(map(str.strip, cells)):
                told = f"{len(cells)} column(s), of which image, audio and identity must be filled; mend the line"
                odd.append(LeftOut(id=f"line {start + rows.line_num}", kind="line", reason=told))
            continue
        yield _pair(listed.parent, given)


def _delimiter(line: str) -> str:
    return next((one for one in "|\t" if one in line), ",")


def _order(listed: Path, first: Sequence[str]) -> tuple[Sequence[str], int]:
    """Return the order of the columns, and the place of the first line of pairs."""
    names = [one.strip().lower() for one in first]
    if not set(names) & {"image", "audio"}:
        return ORDER, 0
    if missing := [one for one in NEEDED if one not in names]:
        raise ValueError(f"{listed}: no column {', '.join(missing)} among {', '.join(names)}; name it in line 1")
    return names, 1


def _pair(folder: Path, given: dict[str, str]) -> Pair:
    image, audio = PurePath(given["image"]), PurePath(given["audio"])
    known = {name: composed(given.get(name, "")) for name in ("identity", "speaker", "language")}
    name = given.get("id") or f"{image.with_suffix('').as_posix()}+{audio.with_suffix('').as_posix()}"
    return Pair(id=name, image=folder / image, audio=folder / audio, **known)


def _near(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path.resolve()
