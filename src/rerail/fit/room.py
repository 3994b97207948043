"""Memory that runs out: the same rows are trained on in smaller parts, and the update stays what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rerail.guard import Guard, Step


class Room:
    """Trains on batches, each in `parts`; where memory runs out, in twice as many from then on."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.parts = guard, 1

    def step(self, batches: Sequence[Any]) -> Step:
        """Train on micro-batches whose gradients add up to a step.

        Raises:
            torch.OutOfMemoryError: where a row by itself does not fit.
        """
        try:
            return self.guard.step(*(part for one in batches for part in self._parted(one)))
        except torch.OutOfMemoryError as error:
            self._halve(batches, error)
            return self.step(batches)

    def _halve(self, batches: Sequence[Any], error: torch.OutOfMemoryError) -> None:
        parts = 2 * self.parts
        if sum(1 for _ in parted(batches[0], parts)) < parts:
            raise error
        self.parts = parts
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        what = "out of memory: micro-batches are halved, and twice as many make a step"
        self.guard.note(what, parts=parts, error=str(error).partition("\n")[0])

    def _parted(self, batch: Any) -> Iterator[Any]:  # noqa: ANN401 (a batch is whatever the task gives)
        return iter((batch,)) if self.parts == 1 else parted(batch, self.parts)


def parted(batch: Any, parts: int) -> Iterator[Any]:  # noqa: ANN401 (a batch is whatever the task gives)
    """Yield a batch's rows in up to `parts` parts that follow one another, none of them empty.

    Rows are dimension 0 of tensors and the items of lists; what has another length stays whole.
    """
    rows = _rows(batch)
    size = -(-rows // parts)
    for start in range(0, rows, size):
        yield {name: _cut(value, rows, start, start + size) for name, value in batch.items()}


def _rows(batch: Mapping[str, Any]) -> int:
    return max(len(value) for value in batch.values() if isinstance(value, Tensor) and value.dim())


def _cut(value: Any, rows: int, start: int, end: int) -> Any:  # noqa: ANN401
    whole = (
        not isinstance(value, Tensor | list) or (isinstance(value, Tensor) and not value.dim()) or len(value) != rows
    )
    return value if whole else value[start:end]
