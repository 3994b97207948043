"""How the gradient stands to what the optimizer remembers of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

FLOOR = 1e-3  # of a tensor's mean second moment: what has hardly ever had a gradient says nothing


def moments(optimizers: Sequence[torch.optim.Optimizer], clipped: float = 1.0) -> dict[str, Tensor]:
    """Return `optimizer/rms` and `optimizer/largest`, 0-d, over all states like Adam's, before the step.

    The RMS of g / sqrt(v) as StableAdamW has it (Wortsman et al. 2023), and the largest g^2 / v as SPAM has it (Huang
    et al. 2025); v is the second moment with its bias corrected. `clipped` is what clipping will multiply the
    gradient by: v was made of clipped ones. Nothing where no optimizer has such a state.
    """
    means, largest, counts = [], [], []
    for gradient, second in _pairs(optimizers):
        floor = torch.clamp(FLOOR * second.mean(), min=torch.finfo(second.dtype).tiny)
        ratio = torch.where(second > floor, gradient.square() / second.clamp(min=floor), 0.0)
        means.append(ratio.sum())
        largest.append(ratio.max())
        counts.append((second > floor).sum())
    if not means:
        return {}
    device = means[0].device
    total, count = (torch.stack([one.to(device) for one in many]).sum() for many in (means, counts))
    most = torch.stack([one.to(device) for one in largest]).max()
    return {"optimizer/rms": clipped * (total / count.clamp(min=1)).sqrt(), "optimizer/largest": clipped**2 * most}


def _pairs(optimizers: Sequence[torch.optim.Optimizer]) -> list[tuple[Tensor, Tensor]]:
    """Return the gradient and the corrected second moment of every tensor that has both."""
    groups = [(optimizer, group) for optimizer in optimizers for group in optimizer.param_groups if "betas" in group]
    return [pair for optimizer, group in groups for pair in _of_group(optimizer, group)]


def _of_group(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> Iterator[tuple[Tensor, Tensor]]:
    held = [(one, optimizer.state[one]) for one in group["params"] if one in optimizer.state and one.grad is not None]
    held = [(one, state) for one, state in held if isinstance(state.get("exp_avg_sq"), Tensor)]
    if not held:
        return
    # One count for the group: on the device each of them would be a transfer of its own. Schedule-free ones have one.
    count = held[0][1].get("step", group.get("k", 0.0))
    left = 1.0 - float(group["betas"][1]) ** float(count)
    for parameter, state in held:
        second = state["exp_avg_sq"]
        if left > 0.0 and not parameter.grad.is_sparse and second.shape == parameter.grad.shape:
            yield parameter.grad.detach().float(), second.float() / left
