"""The loss components, each by its name and without its weight, averaged over true lengths only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from rerail.alignment import valid
from rerail.tasks.speech.output import Output


def losses(
    output: Output,
    mel: Tensor,
    text_length: Tensor,
    *,
    tail: Tensor | int = 0,
    early: int = 0,
    positive: float = 5.0,
    g: float = 0.2,
) -> dict[str, Tensor]:
    """All components of a teacher-forced batch; mel: (batch, frames, bands), natural log of magnitude.

    `tail`: (batch,), how many of a row's last frames are silence that was put there; `early`: how many steps before the
    end say stop too; `positive` weighs the stops of a row against its many other steps; `g` is the guide's width. The
    guide leads to the end of what is said.
    """
    said = -(-(output.mel_length - tail) // output.reduction)  # steps until the tail begins
    return {
        "mel": mel_loss(output.mel, mel, output.mel_length),
        "mel_post": mel_loss(output.mel_post, mel, output.mel_length),
        "gate": gate_loss(output.gate_logits, output.steps, positive, (said - early).clamp(min=1)),
        "attention": guided_attention_loss(output.alignment, text_length, said, g),
    }


def mel_loss(predicted: Tensor, mel: Tensor, length: Tensor) -> Tensor:
    """Mean absolute error over valid frames; both (batch, frames, bands)."""
    mask = valid(length, mel.shape[1])
    return functional.l1_loss(predicted[mask], mel[mask])


def gate_loss(logits: Tensor, steps: Tensor, positive: float, said: Tensor) -> Tensor:
    """Cross-entropy of "all is said" over valid steps; logits: (batch, steps); steps, said: (batch,).

    True at the last step of what is said, `said`, and at those of the tail after it.
    """
    mask = valid(steps, logits.shape[1])
    weight = logits.new_tensor(positive)
    return functional.binary_cross_entropy_with_logits(logits[mask], from_step(logits, said)[mask], pos_weight=weight)


def from_step(logits: Tensor, said: Tensor) -> Tensor:
    """(batch, steps): 1 from each row's step number `said` on, else 0."""
    return (torch.arange(logits.shape[1], device=logits.device) >= said[:, None] - 1).to(logits.dtype)


def guided_attention_loss(alignment: Tensor, text_length: Tensor, steps: Tensor, g: float) -> Tensor:
    """Attention off the diagonal, summed over text and averaged over valid steps; alignment: (batch, steps, symbols).

    Tachibana et al. 2018 (arXiv:1710.08969), equation 6, with the true lengths of each row.
    """
    penalty = (alignment * guide(alignment, text_length, steps, g)).sum(2)
    return penalty.sum() / steps.sum()


def guide(alignment: Tensor, text_length: Tensor, steps: Tensor, g: float) -> Tensor:
    """`W[t,n] = 1 - exp(-(n/N - t/T)^2 / 2g^2)`, zero outside the true lengths; (batch, steps, symbols)."""
    _, rows, columns = alignment.shape
    t = torch.arange(rows, device=alignment.device) / steps[:, None]
    n = torch.arange(columns, device=alignment.device) / text_length[:, None]
    weight = 1.0 - torch.exp(-((n[:, None] - t[:, :, None]) ** 2) / (2 * g * g))
    return weight * valid(steps, rows)[:, :, None] * valid(text_length, columns)[:, None]
