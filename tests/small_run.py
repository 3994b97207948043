"""A regression run of eight rows a batch that the rivals train in the tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from faultbench.case import Run
from torch import Tensor, nn


def small(*, steps: int = 30, nan_at: Sequence[int] = (), lr: float = 0.05, **settings: Any) -> Run:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    batches = [batch(nan=tick in nan_at) for tick in range(steps)]

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        off = model(batch["x"]) - batch["y"]
        return {"square": off.square().mean(), "absolute": off.abs().mean()}

    optimizer = settings.pop("optimizer", None) or torch.optim.SGD(model.parameters(), lr=lr)
    return Run(model=model, optimizer=optimizer, losses=losses, batches=batches, held_out=[batch()], **settings)


def batch(*, nan: bool = False) -> dict[str, Any]:
    x = torch.randn(8, 4)
    y = x.sum(1, keepdim=True)
    if nan:
        x[3] = math.nan
    return {"id": [f"r{row}" for row in range(8)], "x": x, "y": y}


def sound(run: Run) -> bool:
    return all(bool(torch.isfinite(one).all()) for one in run.model.parameters())
