"""Learning-rate schedules, as multipliers of the optimizer's own rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch


def warmup_cosine(
    optimizer: torch.optim.Optimizer, *, steps: int, warmup: int, floor: float
) -> torch.optim.lr_scheduler.LambdaLR:
    """Rise linearly over `warmup` steps, then fall along half a cosine to the share `floor` at `steps`, and stay."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, cosine_factor(steps=steps, warmup=warmup, floor=floor))


def cosine_factor(*, steps: int, warmup: int, floor: float) -> Callable[[int], float]:
    """Return the multiplier of `warmup_cosine` as a function of the step."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))

    return factor
