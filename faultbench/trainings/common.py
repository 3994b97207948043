"""What the trainings of classifiers share: how they are measured on rows that were kept back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def measured(
    model: nn.Module, losses: Callable[[Any], Mapping[str, Tensor]], batch: Mapping[str, Any]
) -> Callable[[], dict[str, float]]:
    """Return how a model is measured on a held-out batch: every component of its loss, in eval mode."""

    def evaluate() -> dict[str, float]:
        model.eval()
        with torch.no_grad():
            found = {name: float(value) for name, value in losses(batch).items()}
        model.train()
        return found

    return evaluate
