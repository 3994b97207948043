"""What a recorded training is made of: all that a guard takes, its data, and how it is measured on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rerail.guard import LossFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training.

    `evaluate` gives held-out numbers, without `eval/`, every so many steps and at the end; `shown` are the telling ones.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: LossFunction
    batches: Iterable[Any]
    steps: int
    evaluate: Callable[[], Mapping[str, float]]
    shown: Sequence[str]
    every: int = 100
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None
    scaler: torch.amp.GradScaler | None = None
    precision: torch.dtype | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    clip_norm: float = float("inf")
