"""Recordings of any length to windows of one length."""

from __future__ import annotations

import torch
from torch import Tensor


def crop(sound: Tensor, samples: int, generator: torch.Generator | None) -> Tensor:
    """Cut exactly `samples` of `(n,)`: anywhere by the generator, in the middle without one.

    A shorter one is repeated from a place in it on (its beginning without a generator): silence would tell its length.
    """
    length = sound.shape[0]
    if length >= samples:
        start = _below(length - samples + 1, generator, (length - samples) // 2)
        return sound[start : start + samples]
    places = torch.arange(samples) + _below(length, generator, 0)
    return sound[places % length]


def _below(end: int, generator: torch.Generator | None, otherwise: int) -> int:
    return otherwise if generator is None else int(torch.randint(end, (), generator=generator))
