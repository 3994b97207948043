"""Attention with several heads, within a sequence and to another one; a decoder step at a time where that is asked."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.precision import wide


class Heard(NamedTuple):
    """Keys and values, each (batch, heads, length, width / heads)."""

    keys: Tensor
    values: Tensor

    def then(self, more: Heard) -> Heard:
        """Append positions."""
        return Heard(torch.cat([self.keys, more.keys], 2), torch.cat([self.values, more.values], 2))


class Attention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def hear(self, x: Tensor, place: Tensor | None = None) -> Heard:
        """Keys and values of x: (batch, length, width); `place` is added to what the keys are made of."""
        return Heard(self._split(self.key(x if place is None else x + place)), self._split(self.value(x)))

    def read(self, x: Tensor, heard: Heard, allowed: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """Attend to what was heard. x: (batch, steps, width); allowed: (batch, 1, 1, length), true where it may.

        `causal` where x is what was heard: each position attends to itself and those before.
        """
        query = self._split(self.query(x))
        return self._join(functional.scaled_dot_product_attention(query, *heard, attn_mask=allowed, is_causal=causal))

    def seen(self, x: Tensor, heard: Heard, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Like `read`, with the weights (batch, heads, steps, length), whose softmax is taken in single precision.

        allowed: (batch, 1 or heads, 1, length).
        """
        query = self._split(self.query(x))
        scores = wide((query / query.shape[3] ** 0.5) @ heard.keys.transpose(2, 3))  # scaled first: half overflows late
        weights = torch.softmax(scores.masked_fill(~allowed, -torch.inf), 3)
        return self._join(weights.to(heard.values.dtype) @ heard.values), weights

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def _join(self, x: Tensor) -> Tensor:
        joined: Tensor = self.out(x.transpose(1, 2).flatten(2))
        return joined


class FeedForward(nn.Sequential):
    """Two linear maps with a GELU between."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__(nn.Linear(width, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, width))


def sinusoids(place: Tensor, width: int) -> Tensor:
    """place: (...,), in positions, fractions too -> (..., width), sines then cosines (Vaswani et al. 2017, 3.5)."""
    powers = torch.arange(0, width, 2, device=place.device) / width
    angles = place[..., None] / 10_000.0**powers
    return torch.cat([angles.sin(), angles.cos()], -1)
