"""Memory that runs out: the same rows are trained on in smaller parts, and their gradients add up to the update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from rerail.guard import Guard, Step


class Room:
    """Trains on batches, each in `parts`; where memory runs out, in twice as many from then on.

    Parts are as even as can be: those of a number of rows that halves evenly add up to the very same update, others to
    one in which the rows of smaller parts count a little more.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard, self.parts = guard, 1

    def step(self, batches: Sequence[Any]) -> Step:
        """Train on micro-batches whose gradients add up to a step.

        Raises:
            torch.OutOfMemoryError: where a row by itself does not fit.
        """
        while (step := self._tried(batches)) is None:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()  # by now nothing holds what the failed pass had made
        return step

    def _tried(self, batches: Sequence[Any]) -> Step | None:
        """Take a step; None where memory ran out, and smaller parts are to be tried."""
        try:
            return self.guard.step(*(part for one in batches for part in self._parted(one)))
        except torch.OutOfMemoryError as error:
            if self.parts >= max(_rows(one) for one in batches):
                raise
            self.parts *= 2
            told = str(error).partition("\n")[0]
        self.guard.note(
            "out of memory: micro-batches are halved, and twice as many make a step", parts=self.parts, error=told
        )
        return None

    def _parted(self, batch: Any) -> Iterator[Any]:  # noqa: ANN401 (a batch is whatever the task gives)
        return iter((batch,)) if self.parts == 1 else parted(batch, self.parts)


def parted(batch: Any, parts: int) -> Iterator[Any]:  # noqa: ANN401 (a batch is whatever the task gives)
    """Yield a batch's rows in up to `parts` parts that follow one another, as even as can be, none of them empty.

    Rows are dimension 0 of tensors and the items of lists; what has another length stays whole.
    """
    rows = _rows(batch)
    parts = min(parts, rows)
    edges = [rows * part // parts for part in range(parts + 1)]
    for start, end in pairwise(edges):
        yield {name: _cut(value, rows, start, end) for name, value in batch.items()}


def _rows(batch: Mapping[str, Any]) -> int:
    return max(len(value) for value in batch.values() if isinstance(value, Tensor) and value.dim())


def _cut(value: Any, rows: int, start: int, end: int) -> Any:  # noqa: ANN401
    by_row = isinstance(value, list) or (isinstance(value, Tensor) and value.dim() > 0)
    return value[start:end] if by_row and len(value) == rows else value
