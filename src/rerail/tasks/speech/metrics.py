"""What an alignment, a gate and a mel are worth: pure functions, one number a row.

A perfect alignment scores 1. A row that holds a non-finite value scores NaN, never a number.
Steps are decoder steps. In shapes, S is steps and N is symbols, both padded; rows past a length are ignored.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.alignment import finite, honest, inner, valid
from rerail.tasks.speech.output import first_stop

NEAR_END = 0.1  # how far off an end may be, as a share of the true length


def focus(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Mean of each step's largest attention; 1 where every step reads one symbol; (batch,)."""
    peak = inner(alignment, text_length, steps).amax(2)
    return honest(peak.sum(1) / steps, alignment)


def monotonicity(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of steps whose attended symbol does not lie before the last step's; 1 for a single step; (batch,)."""
    place = inner(alignment, text_length, steps).argmax(2)
    forward = (place[:, 1:] >= place[:, :-1]) & valid(steps - 1, place.shape[1] - 1)
    moves = steps - 1
    return honest(torch.where(moves > 0, forward.sum(1) / moves.clamp(min=1), 1.0), alignment)


def coverage(alignment: Tensor, text_length: Tensor, steps: Tensor) -> Tensor:
    """Share of the text that was read: attention summed over steps, at most 1 for each symbol's fair part; (batch,).

    A symbol's fair part is half of `S / N` steps: sounds differ in length, and a short one counts as read.
    """
    read = inner(alignment, text_length, steps).sum(1)
    fair = 0.5 * steps / text_length
    share = (read / fair[:, None]).clamp(max=1.0).sum(1) / text_length
    return honest(share, alignment)


def gate_accuracy(gate_logits: Tensor, steps: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where the first stop lies within 10 % of the true end, else 0. gate_logits: (batch, S) -> (batch,)."""
    reach = valid(steps, gate_logits.shape[1])
    never = (torch.sigmoid(gate_logits) <= threshold) | ~reach
    first = first_stop(gate_logits.masked_fill(~reach, -torch.inf), threshold)
    hit = ((first - steps).abs() <= NEAR_END * steps) & ~never.all(1)
    return honest(hit.float(), gate_logits)


def gate_counts(gate_logits: Tensor, steps: Tensor, threshold: float = 0.5) -> Tensor:
    """Per row: last steps that said stop, all steps that did, last steps; (batch, 3), to be pooled over rows.

    Summed up, precision is the first over the second and recall the first over the third.
    """
    step = torch.arange(gate_logits.shape[1], device=gate_logits.device)
    said = (torch.sigmoid(gate_logits) > threshold) & valid(steps, gate_logits.shape[1])
    last = step == steps[:, None] - 1
    counts = torch.stack([(said & last).sum(1), said.sum(1), last.sum(1)], 1)
    return torch.where(finite(gate_logits)[:, None], counts, torch.nan)


def length_error(length: Tensor, true_length: Tensor, gate_logits: Tensor) -> Tensor:
    """Difference of two lengths in frames as a share of the true one, where a finite gate chose them; (batch,)."""
    return honest((length - true_length).abs() / true_length, gate_logits)


def mel_error(predicted: Tensor, mel: Tensor, length: Tensor) -> Tensor:
    """Mean absolute difference over the valid frames, in nepers; both (batch, frames, bands) -> (batch,)."""
    mask = valid(length, mel.shape[1])[:, :, None]
    difference = torch.where(mask, (predicted - mel).abs(), 0.0)
    return honest(difference.sum((1, 2)) / (length * mel.shape[2]), predicted)
