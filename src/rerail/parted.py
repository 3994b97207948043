"""A batch of any kind in smaller ones, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rerail.act.rows import count, select

__all__ = ["count", "parted"]


def parted(batch: Any, parts: int) -> Iterator[Any]:  # noqa: ANN401 (a batch is whatever the user's loader gives)
    """Yield a batch's rows in up to `parts` parts that follow one another, as even as can be, none of them empty.

    One that cannot be taken apart stays whole.
    """
    rows = count(batch)
    parts = min(parts, rows)
    if parts <= 1:
        yield batch
    else:
        yield from (select(batch, range(rows * one // parts, rows * (one + 1) // parts)) for one in range(parts))
