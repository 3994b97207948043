"""Weights averaged over the steps, to be measured and spoken with (Polyak & Juditsky 1992, exponentially)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

RISE = 10  # a young average follows the weights: after n steps the decay is at most (1 + n) / (RISE + n)


@contextmanager
def swapped(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Have the model hold other weights meanwhile; afterwards its own are back, bit for bit."""
    own = {name: one.detach().clone() for name, one in model.state_dict().items()}
    model.load_state_dict(weights)
    try:
        yield
    finally:
        model.load_state_dict(own)


class Ema:
    """The average of a model's weights and buffers; a part of the run's state, updated after each committed step."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay, self.steps = model, decay, 0
        self.average: dict[str, Tensor] = {}
        self.begin()

    def begin(self) -> None:
        """Take the present weights for the average."""
        self.average = {name: one.detach().clone() for name, one in self.model.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in; whole numbers (a batch normalisation's count) are copied."""
        decay = min(self.decay, (1 + self.steps) / (RISE + self.steps))
        for name, now in self.model.state_dict().items():
            kept = self.average[name]
            if kept.is_floating_point():
                kept.lerp_(now.to(kept.dtype), 1.0 - decay)
            else:
                kept.copy_(now)
        self.steps += 1

    def swapped(self) -> AbstractContextManager[None]:
        """Have the model hold the average meanwhile."""
        return swapped(self.model, self.average)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and how many steps are in it."""
        return {"average": dict(self.average), "averaged": self.steps}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Go on from a saved average."""
        self.steps = int(state_dict["averaged"])
        for name, kept in self.average.items():
            kept.copy_(state_dict["average"][name])
