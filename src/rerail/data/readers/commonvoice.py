"""The layout of Mozilla Common Voice: `validated.tsv` (or `train.tsv`) with named columns, and `clips/*.mp3`.

The column `client_id` names the speaker, of which the first 16 characters are kept; `locale` the language.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import Listing, sifted

TABLES = ("validated.tsv", "train.tsv")  # the first holds the second
NEEDED = ("client_id", "path", "sentence")
NAME = 16  # characters of a speaker's hash


def found(folder: Path) -> bool:
    """Say whether a folder holds a table and its clips."""
    return (folder / "clips").is_dir() and any((folder / one).is_file() for one in TABLES)


def read(folder: Path) -> Listing:
    """Read the clips that people have found right.

    Raises:
        ValueError: for a table that is not UTF-8, or lacks a column.
    """
    table = next(folder / one for one in TABLES if (folder / one).is_file())
    return sifted(list(_clips(folder, table)), {})


def _clips(folder: Path, table: Path) -> Iterator[Clip]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            if missing := [one for one in NEEDED if one not in (rows.fieldnames or [])]:
                raise ValueError(f"{table}: no column {' or '.join(missing)}; give the table as it was downloaded")
            for row in rows:
                path = folder / "clips" / (row["path"] or "")
                yield Clip(
                    id=path.stem,
                    path=path,
                    text=" ".join((row["sentence"] or "").split()),
                    speaker=(row["client_id"] or "")[:NAME],
                    language=row.get("locale") or "",
                )
        except UnicodeDecodeError as error:
            raise ValueError(f"{table}: not UTF-8 at byte {error.start}; restore the file") from error
