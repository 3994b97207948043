"""Text and tables for a command to print: a drawn table on a terminal, plain lines in a pipe or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console as Screen
from rich.table import Table
from rich.text import Text

from rerail.tell import fields

if TYPE_CHECKING:
    from collections.abc import Sequence


def text(lines: str, screen: Screen | None = None) -> None:
    """Print lines as they are; a letter that the output cannot write becomes a visible escape."""
    out = screen or Screen()
    out.file.write(fields.writable(lines, out.encoding) + "\n")
    out.file.flush()


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], screen: Screen | None = None) -> None:
    """Print rows as a table; where nobody looks, as lines of cells with tabs between them, without headings."""
    out = screen or Screen()
    cells = [[fields.writable(fields.plain(cell), out.encoding) for cell in row] for row in rows]
    if not out.is_terminal:
        text("\n".join("\t".join(row) for row in cells), out)
        return
    out.print(drawn(headings, cells, out))


def drawn(headings: Sequence[str], rows: Sequence[Sequence[object]], screen: Screen) -> Table:
    """Rows as a drawn table."""
    table = Table(*headings)
    for row in rows:
        cells = [fields.writable(fields.plain(cell), screen.encoding) for cell in row]
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))  # Text, because names may look like markup
    return table
