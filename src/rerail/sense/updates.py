"""How far a committed update moved the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rerail.sense.sensors import norms, transfer


def weights_of(model: nn.Module) -> list[Tensor]:
    """Copy the trained weights."""
    return [parameter.detach().clone() for parameter in model.parameters() if parameter.requires_grad]


def update_ratio(model: nn.Module, before: list[Tensor]) -> dict[str, float]:
    """Return `update/ratio`: the norm of the update over the norm of the weights before it."""
    after = [parameter.detach() for parameter in model.parameters() if parameter.requires_grad]
    moved = torch._foreach_sub(after, before)  # noqa: SLF001 (the fused elementwise kernels have no public name)
    numbers = transfer([*norms(list(moved)), *norms(before)])
    update, weight = (sum(number * number for number in half) ** 0.5 for half in _halves(numbers))
    return {"update/ratio": update / weight if weight else float("inf")}


def _halves(numbers: list[float]) -> tuple[list[float], list[float]]:
    middle = len(numbers) // 2
    return numbers[:middle], numbers[middle:]
