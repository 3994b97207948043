"""The loss components, each by its name and without its weight, averaged over true lengths only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rerail.alignment import valid
from rerail.tasks.speech.losses import from_step, guided_attention_loss
from rerail.tasks.speech.output import Batch
from rerail.tasks.xtts.model import Trained
from rerail.tasks.xtts.reference import Latent


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the losses look like; the defaults are the plain ones.

    `huber`: above this difference, in nepers, the mel error is linear and below it quadratic (Huber 1964); 0: mean
    absolute error. `smooth_mel`: so much of each target frame is the mean frame of its clip. `smooth_stop`: so much
    probability is taken from what the stop is and given to what it is not. `capacity`: nats of divergence that cost
    nothing (Burgess et al. 2018, arXiv:1804.03599). `annealed`: the share of the rest that counts by now.
    """

    huber: float = 0.0
    smooth_mel: float = 0.0
    smooth_stop: float = 0.0
    stop_positive: float = 5.0
    capacity: float = 0.0
    annealed: float = 1.0
    guide_width: float = 0.2


def losses(trained: Trained, batch: Batch, shape: Shape) -> dict[str, Tensor]:
    """All components of a teacher-forced batch."""
    output, mel, length = trained.output, batch["mel"], batch["mel_length"]
    target = smoothed(mel, length, shape.smooth_mel)
    return {
        "mel": mel_loss(output.mel, target, length, shape.huber),
        "mel_post": mel_loss(output.mel_post, target, length, shape.huber),
        "kl": shape.annealed * (divergence(trained.latent) - shape.capacity).clamp(min=0.0).mean(),
        "stop": stop_loss(output.gate_logits, output.steps, shape),
        "attention": guided_attention_loss(output.alignment, batch["text_length"], output.steps, shape.guide_width),
    }


def divergence(latent: Latent) -> Tensor:
    """`1/2 sum(mu^2 + e^lv - 1 - lv)` from the standard normal, nats (Kingma & Welling 2014, appendix B); (batch,)."""
    mean, log_variance = latent
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)


def mel_loss(predicted: Tensor, mel: Tensor, length: Tensor, huber: float) -> Tensor:
    """Error over valid frames; both (batch, frames, bands). Huber's is divided by its width: it grows as L1 does."""
    mask = valid(length, mel.shape[1])
    if huber == 0.0:
        return functional.l1_loss(predicted[mask], mel[mask])
    return functional.huber_loss(predicted[mask], mel[mask], delta=huber) / huber


def stop_loss(logits: Tensor, steps: Tensor, shape: Shape) -> Tensor:
    """Cross-entropy of "all is said" over valid steps, true at a row's last one; logits: (batch, steps)."""
    mask = valid(steps, logits.shape[1])
    target = from_step(logits, steps)
    weight = torch.where(target > 0.5, shape.stop_positive, 1.0)  # noqa: PLR2004 (it is 0 or 1)
    target = target * (1.0 - shape.smooth_stop) + 0.5 * shape.smooth_stop
    costs = functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="none")
    return costs[mask].mean()


def smoothed(mel: Tensor, length: Tensor, share: float) -> Tensor:
    """Mix each valid frame with the mean frame of its clip, `share` of the latter; (batch, frames, bands)."""
    if share == 0.0:
        return mel
    mask = valid(length, mel.shape[1])[:, :, None]
    mean = (mel * mask).sum(1, keepdim=True) / length[:, None, None]
    return (1.0 - share) * mel + share * mean
