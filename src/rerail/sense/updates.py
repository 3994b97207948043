"""How far a committed update moved the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rerail.sense.sensors import norms, transfer


def weights_of(model: nn.Module) -> list[Tensor]:
    """Copy the trained weights."""
    return [parameter.detach().clone() for parameter in model.parameters() if parameter.requires_grad]


def update_ratio(model: nn.Module, before: list[Tensor]) -> dict[str, float]:
    """Return how far an update moved the weights, which were `before`.

    `update/ratio` is the norm of the update over the norm of the weights before it, in total and per top-level module
    (`update/ratio/MODULE`). `update/still` counts the tensors with a gradient that did not move at all, of
    `update/tensors`.
    """
    named = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    moved = torch._foreach_sub([one.detach() for _, one in named], before)  # noqa: SLF001 (no public name)
    updates, weights = _halves(transfer([*norms(list(moved)), *norms(before)]))
    trained = [update for update, (_, one) in zip(updates, named, strict=True) if one.grad is not None]
    squares: dict[str, tuple[float, float]] = {}
    for (name, _), update, weight in zip(named, updates, weights, strict=True):
        for group in ("", name.partition(".")[0]):
            up, down = squares.get(group, (0.0, 0.0))
            squares[group] = up + update * update, down + weight * weight
    ratios = {group: (up / down) ** 0.5 if down else float("inf") for group, (up, down) in squares.items()}
    total = ratios.pop("", float("inf"))
    parts = {
        f"update/ratio/{group}": ratio for group, ratio in ratios.items() if len(ratios) > 1 and ratio < float("inf")
    }
    still = {"update/still": float(trained.count(0.0)), "update/tensors": float(len(trained))}
    return {"update/ratio": total, **parts, **still}


def _halves(numbers: list[float]) -> tuple[list[float], list[float]]:
    middle = len(numbers) // 2
    return numbers[:middle], numbers[middle:]
