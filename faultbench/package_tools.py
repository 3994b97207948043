"""Small helpers that the package cases share: batches with ids, seeds, learning-rate schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from .case import Batch

STEPS = 60
ROWS = 8

RowMaker = Callable[[Generator, int], dict[str, Tensor]]


def start(seed: int) -> Generator:
    """Seed torch's global generator (weights, dropout) and return a separate one for the data."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(1000 + seed)


def make_batches(
    rows: RowMaker,
    data: Generator,
    *,
    count: int = STEPS,
    size: int = ROWS,
    prefix: str = "b",
) -> list[Batch]:
    """`count` batches of `size` rows, each with ids such as `b07-3`."""
    return [{**rows(data, size), "id": [f"{prefix}{step:02d}-{row}" for row in range(size)]} for step in range(count)]


def with_rows(batch: Batch, changes: dict[str, dict[int, Tensor]]) -> Batch:
    """A copy of the batch in which `changes[key][row]` replaces that row of the tensor `key`."""
    result: dict[str, Any] = dict(batch)
    for key, rows in changes.items():
        value = batch[key].clone()
        for row, new in rows.items():
            value[row] = new
        result[key] = value
    return result


def replaced(batches: Sequence[Batch], step: int, batch: Batch) -> list[Batch]:
    """The batches with the one at `step` exchanged."""
    return [batch if index == step else old for index, old in enumerate(batches)]


def adam(model: nn.Module, rate: float) -> torch.optim.Adam:
    """Adam with torch's defaults."""
    return torch.optim.Adam(model.parameters(), lr=rate)


def jumping_rate(optimizer: torch.optim.Optimizer, step: int, factor: float) -> torch.optim.lr_scheduler.LambdaLR:
    """A schedule that multiplies the learning rate by `factor` from the update of batch `step` on."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: factor if done >= step else 1.0)
