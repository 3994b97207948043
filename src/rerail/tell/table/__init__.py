"""A journal as a table for other programs: CSV or Parquet, written row by row, so that a long run takes no more memory.

Numbers come out as they went in, bit for bit; those that are not finite are `nan`, `inf` and `-inf` in CSV, and IEEE
values in Parquet. What was not read is an empty cell, or null.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rerail.tell import journal
from rerail.tell.table.files import ENDINGS
from rerail.tell.table.rows import TABLES

Progress = Callable[[str, int, int], None]
_EVERY = 2**20  # bytes between two words on how far it is


def write(
    run: Path, out: Path, *, what: str = "readings", signals: Sequence[str] = (), progress: Progress | None = None
) -> int:
    """Write one table of a run to a new file, whole or not at all; return its number of rows.

    `what` is one of `TABLES`, the ending of `out` one of `ENDINGS`. `signals` are patterns (`loss/*`) of the signals
    to take, all where there is none.

    Raises:
        ValueError: for an unknown table or ending, a pattern that fits no signal, or a folder that is no run.
        ModuleNotFoundError: naming the command that installs pyarrow, for Parquet.
    """
    if what not in TABLES:
        raise ValueError(f"there is no table {what!r} of a run; give one of {', '.join(TABLES)}")
    if out.suffix not in ENDINGS:
        raise ValueError(f"{out}: the ending says what to write; give one of {', '.join(ENDINGS)}")
    if signals and what != "readings":
        raise ValueError(f"signals are columns of the readings, and {what} have none; leave them out")
    opened = ENDINGS[out.suffix]()
    table = TABLES[what](lambda: _records(run, "columns", progress), signals)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    count = 0
    try:
        with opened(draft, table.columns) as add:
            for row in table.rows(_records(run, "rows", progress)):
                add(row)
                count += 1
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _records(run: Path, name: str, progress: Progress | None) -> Iterator[dict[str, Any]]:
    """The journal's records, telling how many of its bytes were read."""
    total = sum(file.stat().st_size for file in run.glob("journal*.jsonl"))
    done = told = 0

    def passed(size: int) -> None:
        nonlocal done, told
        done += size
        if progress is not None and (done - told >= _EVERY or done == total):
            told = done
            progress(name, done, total)

    yield from journal.read(run, passed)
