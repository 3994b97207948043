"""What an alignment, a gate and a mel are worth: pure functions, one number a row.

A perfect alignment scores 1. A row that holds a non-finite value scores NaN, never a number.
Steps are decoder steps. In shapes, S is steps and N is symbols, both padded; rows past a length are ignored.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.tasks.tacotron2.layers import valid
from rerail.tasks.tacotron2.model import first_stop

BAND = 0.1  # half the width of the diagonal, as a share of the text
NEAR_END = 0.1  # how far off an end may be, as a share of the true length


def diagonal_mass(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of the attention within 0.1 of the diagonal. alignment: (batch, S, N) -> (batch,)."""
    inside = _near(alignment, text_length, steps) & _walks(text_length, steps)[:, None, None]
    return _honest((_inner(alignment, text_length, steps) * inside).sum((1, 2)) / steps, alignment)


def uniform_mass(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """The diagonal mass that uniform attention would have, about 0.19; (batch,)."""
    return _near(alignment, text_length, steps).sum((1, 2)) / (steps * text_length)


def diagonality(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """`(m - u) / (1 - u)`: perfect 1, uniform 0, stuck or reversed below 0; (batch,).

    Where there is no way to be wrong (a text of one symbol) it is the mass itself.
    """
    uniform, mass = uniform_mass(alignment, text_length, steps), diagonal_mass(alignment, text_length, steps)
    return torch.where(uniform < 1.0, (mass - uniform) / (1.0 - uniform).clamp(min=torch.finfo(mass.dtype).eps), mass)


def focus(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Mean of each step's largest attention; 1 where every step reads one symbol; (batch,)."""
    peak = _inner(alignment, text_length, steps).amax(2)
    return _honest(peak.sum(1) / steps, alignment)


def monotonicity(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of steps whose attended symbol does not lie before the last step's; 1 for a single step; (batch,)."""
    place = _inner(alignment, text_length, steps).argmax(2)
    forward = (place[:, 1:] >= place[:, :-1]) & valid(steps - 1, place.shape[1] - 1)
    moves = steps - 1
    return _honest(torch.where(moves > 0, forward.sum(1) / moves.clamp(min=1), 1.0), alignment)


def coverage(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of the text that was read: attention summed over steps, at most 1 for each symbol's fair part; (batch,).

    A symbol's fair part is half of `S / N` steps: sounds differ in length, and a short one counts as read.
    """
    read = _inner(alignment, text_length, steps).sum(1)
    fair = 0.5 * steps / text_length
    share = (read / fair[:, None]).clamp(max=1.0).sum(1) / text_length
    return _honest(share, alignment)


def gate_accuracy(gate_logits: Tensor, steps: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where the first stop lies within 10 % of the true end, else 0. gate_logits: (batch, S) -> (batch,)."""
    reach = valid(steps, gate_logits.shape[1])
    never = (torch.sigmoid(gate_logits) <= threshold) | ~reach
    first = first_stop(gate_logits.masked_fill(~reach, -torch.inf), threshold)
    hit = ((first - steps).abs() <= NEAR_END * steps) & ~never.all(1)
    return _honest(hit.float(), gate_logits)


def gate_counts(gate_logits: Tensor, steps: Tensor, threshold: float = 0.5) -> Tensor:
    """Per row: last steps that said stop, all steps that did, last steps; (batch, 3), to be pooled over rows.

    Summed up, precision is the first over the second and recall the first over the third.
    """
    step = torch.arange(gate_logits.shape[1], device=gate_logits.device)
    said = (torch.sigmoid(gate_logits) > threshold) & valid(steps, gate_logits.shape[1])
    last = step == steps[:, None] - 1
    counts = torch.stack([(said & last).sum(1), said.sum(1), last.sum(1)], 1)
    return torch.where(_finite(gate_logits)[:, None], counts, torch.nan)


def length_error(length: Tensor, true_length: Tensor, gate_logits: Tensor) -> Tensor:
    """Difference of two lengths in frames as a share of the true one, where a finite gate chose them; (batch,)."""
    return _honest((length - true_length).abs() / true_length, gate_logits)


def mel_error(predicted: Tensor, mel: Tensor, length: Tensor) -> Tensor:
    """Mean absolute difference over the valid frames, in nepers; both (batch, frames, bands) -> (batch,)."""
    mask = valid(length, mel.shape[1])[:, :, None]
    difference = torch.where(mask, (predicted - mel).abs(), 0.0)
    return _honest(difference.sum((1, 2)) / (length * mel.shape[2]), predicted)


def _finite(source: Tensor) -> Tensor:
    """source: (batch, ...) -> (batch,), true where the whole row is finite."""
    return torch.isfinite(source).flatten(1).all(1)


def _honest(value: Tensor, source: Tensor) -> Tensor:
    """NaN in place of whatever came of a non-finite row; value: (batch,), source: (batch, ...)."""
    return torch.where(_finite(source), value, torch.nan)


def _inner(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """The alignment within its true lengths, zero outside."""
    rows, columns = valid(steps, alignment.shape[1]), valid(text_length, alignment.shape[2])
    return torch.where(rows[:, :, None] & columns[:, None], alignment, 0.0)


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
