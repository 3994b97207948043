"""What the healthy runs share: seeding, batches, the two commonest losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .state_common import cut

STEPS = 150
Rows = Callable[[int, torch.Generator], dict[str, Tensor]]


def begin(seed: int) -> torch.Generator:
    """Seed torch and give the generator of the data."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed + 1)


def batches(rows: Rows, generator: torch.Generator, size: int = 16) -> dict[str, Any]:
    """Training and held-out batches as keyword arguments of `Run`."""
    return {
        "batches": cut(rows(STEPS * size, generator), size, "row"),
        "held_out": cut(rows(256, generator), 32, "held"),
    }


def ce(model: nn.Module) -> Callable[[Mapping[str, Tensor]], dict[str, Tensor]]:
    """Give the cross-entropy of a classifier."""
    return lambda batch: {"ce": functional.cross_entropy(model(batch["x"]), batch["label"])}


def mse(model: nn.Module) -> Callable[[Mapping[str, Tensor]], dict[str, Tensor]]:
    """Give the mean squared error of a regressor."""
    return lambda batch: {"mse": (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}
