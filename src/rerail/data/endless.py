"""An endless order of batches, a new one each epoch, with a position that can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import torch

T = TypeVar("T")
Batches = Sequence[Sequence[int]]  # an epoch: which examples are in which batch
TOLD = {"seed": ("seed", "seed"), "batch_size": ("batches of", "size"), "pool": ("pools of", "pool")}
STEP = 1_000_003  # a prime, so that seeds and epochs near one another do not meet


def generator_of(seed: int, *places: int) -> torch.Generator:
    """Return a generator that a seed and one or more places (epoch, or epoch and batch) decide."""
    for place in places:
        seed = seed * STEP + place
    return torch.Generator().manual_seed(seed % 2**63)


class Endless:
    """Which batch is next. `settings` decide the order beside the data: a position of others is refused."""

    def __init__(self, batches: Callable[[int], Batches], settings: Mapping[str, int]) -> None:
        self._batches, self._settings = batches, dict(settings)
        self.epoch = self.index = 0
        self._now = batches(0)

    def __len__(self) -> int:
        """Return how many batches this epoch has."""
        return len(self._now)

    def through(self, made: Callable[[Sequence[int], tuple[int, int]], T]) -> Iterator[T]:
        """Yield what `made` makes of each batch and its (epoch, index), from the present position on, for ever."""
        while True:
            batch = made(self._now[self.index], (self.epoch, self.index))
            self._step()  # before the batch is out: a position saved with the batch in hand is the one after it
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the position of the next batch."""
        return {"epoch": self.epoch, "index": self.index, **self._settings}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go to a position.

        Raises:
            ValueError: for a position of another order.
        """
        for name, own in self._settings.items():
            words, give = TOLD[name]
            if (got := state.get(name, own)) != own:
                raise ValueError(f"this position is of {words} {got}, the run has {own}; give the same {give}")
        before = self._now
        self._now = self._batches(state["epoch"])
        if not 0 <= state["index"] < len(self._now):
            there, self._now = len(self._now), before
            told = f"this position is batch {state['index']}, an epoch has {there}"
            raise ValueError(f"{told}; give the same data and batch_size")
        self.epoch, self.index = state["epoch"], state["index"]

    def _step(self) -> None:
        self.index += 1
        if self.index == len(self._now):
            self.epoch, self.index = self.epoch + 1, 0
            self._now = self._batches(self.epoch)
