"""Files of rows: what is opened takes one row after another, and is a whole file when it is closed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from rerail.core.extras import need
from rerail.tell.table.rows import Cell, Row

Columns = Mapping[str, type[str | bool | int | float]]
Opened = Callable[[Path, Columns], AbstractContextManager[Callable[[Row], None]]]
_BATCH = 4096  # rows that are put together for Parquet; a row group is one batch
_FORMULA = tuple(
    "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
)  # a spreadsheet computes text that begins so (OWASP, CSV Injection)


@contextmanager
def to_csv(path: Path, columns: Columns) -> Iterator[Callable[[Row], None]]:
    """Write CSV in UTF-8: a line of names, then a line a row; text that a spreadsheet would compute begins with `'`."""
    with path.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([_text(name) for name in columns])
        yield lambda row: writer.writerow([_text(cell) for cell in row])


def _text(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def parquet() -> Opened:
    """Load pyarrow.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    arrow, files = need("pyarrow", extra="parquet"), need("pyarrow.parquet", extra="parquet")
    kinds = {int: arrow.int64(), float: arrow.float64(), str: arrow.string(), bool: arrow.bool_()}

    @contextmanager
    def opened(path: Path, columns: Columns) -> Iterator[Callable[[Row], None]]:
        schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
        with files.ParquetWriter(path, schema) as writer:
            batch = _Batch(lambda columns: writer.write_batch(arrow.record_batch(columns, schema=schema)))
            yield batch.add
            batch.flush()

    return opened


class _Batch:
    """Rows that wait until there are enough of them."""

    def __init__(self, write: Callable[[list[Any]], None]) -> None:
        self._write = write
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._write([list(column) for column in zip(*self._rows, strict=True)])
            self._rows = []


ENDINGS: dict[str, Callable[[], Opened]] = {".csv": lambda: to_csv, ".parquet": parquet}
