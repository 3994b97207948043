"""A small regression under a guard, for edges of a proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.guard import Guard, Keep

OFTEN = Keep(snapshot_every=5, probation=3)


def batches(count: int, rows: int = 12) -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    for index in range(count):
        x = torch.randn(rows, 8, generator=generator)
        yield {"id": [f"{index}:{row}" for row in range(rows)], "x": x, "y": x.sum(1, keepdim=True)}


def guarded(losses: Any = None, **more: Any) -> Guard:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))

    def plain(batch: dict[str, Any]) -> Tensor:
        return functional.mse_loss(model(batch["x"]), batch["y"])

    made = (lambda batch: losses(model, batch)) if losses else plain
    return Guard(model, torch.optim.Adam(model.parameters(), 1e-2), made, **{"keep": OFTEN, **more})
