"""How diagonal an attention map is: pure tensor functions, for the sensors and for the tasks alike.

Steps are decoder steps. In shapes, S is steps and N is symbols (keys), both padded; rows past a length are ignored.
"""

from __future__ import annotations

import torch
from torch import Tensor

BAND = 0.1  # half the width of the diagonal, as a share of the text


def diagonal_mass(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of the attention within 0.1 of the diagonal. alignment: (batch, S, N) -> (batch,)."""
    inside = _near(alignment, text_length, steps) & _walks(text_length, steps)[:, None, None]
    return honest((inner(alignment, text_length, steps) * inside).sum((1, 2)) / steps, alignment)


def uniform_mass(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """The diagonal mass that uniform attention would have, about 0.19; (batch,)."""
    return _near(alignment, text_length, steps).sum((1, 2)) / (steps * text_length)


def diagonality(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """`(m - u) / (1 - u)`: perfect 1, uniform 0, stuck or reversed below 0; (batch,).

    Where there is no way to be wrong (a text of one symbol) it is the mass itself.
    """
    uniform, mass = uniform_mass(alignment, text_length, steps), diagonal_mass(alignment, text_length, steps)
    return torch.where(uniform < 1.0, (mass - uniform) / (1.0 - uniform).clamp(min=torch.finfo(mass.dtype).eps), mass)


def valid(lengths: Tensor, size: int) -> Tensor:
    """lengths: (batch,) -> (batch, size), true at positions below the length."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def honest(value: Tensor, source: Tensor) -> Tensor:
    """NaN in place of whatever came of a non-finite row; value: (batch,), source: (batch, ...)."""
    return torch.where(finite(source), value, torch.nan)


def inner(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """The alignment within its true lengths, zero outside."""
    rows, columns = valid(steps, alignment.shape[1]), valid(text_length, alignment.shape[2])
    return torch.where(rows[:, :, None] & columns[:, None], alignment, 0.0)


def finite(source: Tensor) -> Tensor:
    """source: (batch, ...) -> (batch,), true where the whole row is finite."""
    return torch.isfinite(source).flatten(1).all(1)


def _walks(text_length: Tensor, steps: Tensor) -> Tensor:
    """Whether there are steps enough to walk from the first symbol to the last: three, or one a symbol; (batch,)."""
    return steps >= text_length.clamp(max=3)


def _near(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """(batch, S, N), true near the diagonal, by the cells' centres.

    A symbol that the diagonal crosses always is, and a step that it crosses, unless the step is longer than 0.2.
    """
    t = (torch.arange(alignment.shape[1], device=alignment.device) + 0.5) / steps[:, None]
    n = (torch.arange(alignment.shape[2], device=alignment.device) + 0.5) / text_length[:, None]
    band = (0.5 / text_length + (0.5 / steps).clamp(max=BAND)).clamp(min=BAND)[:, None, None]
    near = (n[:, None] - t[:, :, None]).abs() < band - 1e-6  # rounding must not let in a cell that touches the border
    return near & valid(steps, alignment.shape[1])[:, :, None] & valid(text_length, alignment.shape[2])[:, None]
