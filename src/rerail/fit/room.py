"""Memory that runs out: the same rows are trained on in smaller parts, and their gradients add up to the update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rerail.guard import Guard, Step
from rerail.parted import count, parted


class Room:
    """Trains on batches, each in `parts`; where memory runs out, in twice as many from then on.

    Parts are as even as can be: those of a number of rows that halves evenly add up to the very same update, others to
    one in which the rows of smaller parts count a little more. Where the loss compares the rows of a batch, parts of it
    would have another loss, so that it is left `undivided`: what to do instead, for whoever runs out of memory.
    """

    def __init__(self, guard: Guard, undivided: str = "") -> None:
        self.guard, self.undivided, self.parts = guard, undivided, 1

    def step(self, batches: Sequence[Any]) -> Step:
        """Train on micro-batches whose gradients add up to a step.

        Raises:
            torch.OutOfMemoryError: where a row by itself does not fit.
            ValueError: where a batch does not fit that is left undivided.
        """
        while (step := self._tried(batches)) is None:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()  # by now nothing holds what the failed pass had made
        return step

    def _tried(self, batches: Sequence[Any]) -> Step | None:
        """Take a step; None where memory ran out, and smaller parts are to be tried."""
        try:
            return self.guard.step(*(part for one in batches for part in parted(one, self.parts)))
        except torch.OutOfMemoryError as error:
            if self.undivided:
                what = f"out of memory: got a batch of {max(map(count, batches))} rows, and its loss compares them all"
                raise ValueError(f"{what}, so parts of it would be another objective; {self.undivided}") from error
            if self.parts >= max(map(count, batches)):
                raise
            self.parts *= 2
            told = str(error).partition("\n")[0]
        self.guard.note(
            "out of memory: micro-batches are halved, and twice as many make a step", parts=self.parts, error=told
        )
        return None
