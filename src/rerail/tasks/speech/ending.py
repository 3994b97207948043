"""When free-running speech ends, row by row."""

from __future__ import annotations

import torch
from torch import Tensor

LINGER = 32  # frames on the last symbol: about half a second, longer than a sentence ends in
ALONE = 0.5  # of the attention: a symbol that has more of it is read before all others


class Ending:
    """A row ends with its first stop, or once its last symbol had most of the attention for `linger` steps."""

    def __init__(self, text_length: Tensor, *, threshold: float, linger: int) -> None:
        self.threshold, self.linger = threshold, linger
        self._final = text_length - 1
        self._ends, self._lingered, self._said = torch.zeros_like(text_length), torch.zeros_like(text_length), 0

    def see(self, gate: Tensor, weights: Tensor) -> None:
        """Look at a step. gate: (batch,), logits; weights: (batch, symbols)."""
        self._said += 1
        alone = weights.gather(1, self._final[:, None])[:, 0] > ALONE
        self._lingered = torch.where(alone, self._lingered + 1, 0)
        stops = (torch.sigmoid(gate) > self.threshold) | (self._lingered >= self.linger)
        self._ends = torch.where(stops & (self._ends == 0), self._said, self._ends)

    @property
    def all_ended(self) -> bool:
        """Whether every row has."""
        return bool(self._ends.all())

    def steps(self) -> Tensor:
        """How many steps each row has, (batch,); all that were looked at where it has not ended."""
        return torch.where(self._ends == 0, self._said, self._ends)
