"""Made-up rows for the zoo's own tiny models: batches with ids, one odd row put in its place, and the usual run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .case import Batch, Run

STEPS = 60
HELD_OUT = 4

Maker = Callable[[torch.Generator, int], dict[str, Tensor]]


def stream(make: Maker, seed: int, *, rows: int = 16) -> tuple[list[Batch], list[Batch]]:
    """Return 60 training batches and 4 held-out ones; row 5 of batch 33 has the id `b33r05`, whatever the seed."""
    generator = torch.Generator().manual_seed(1000 + seed)
    train: list[Batch] = [named(make(generator, rows), f"b{step:02d}") for step in range(STEPS)]
    held: list[Batch] = [named(make(generator, rows), f"h{step:02d}") for step in range(HELD_OUT)]
    return train, held


def named(fields: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    """Return the fields with an id for every row."""
    count = len(next(iter(fields.values())))
    return {**fields, "id": [f"{prefix}r{row:02d}" for row in range(count)]}


def put(batches: list[Batch], step: int, row: int, **fields: Tensor | float) -> None:
    """Write the fields into one row of one batch (a new batch takes the place of the old one)."""
    batch = dict(batches[step])
    for name, value in fields.items():
        changed = batch[name].clone()
        changed[row] = value
        batch[name] = changed
    batches[step] = batch


def scaled(batches: list[Batch], step: int, row: int, name: str, factor: float) -> None:
    """Make one row of one batch louder by a factor."""
    put(batches, step, row, **{name: batches[step][name][row] * factor})


def mlp(*sizes: int) -> nn.Sequential:
    """Return a plain ReLU network with these layer sizes."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def run(
    model: nn.Module,
    losses: Callable[[Any], Mapping[str, Tensor]],
    data: tuple[Sequence[Batch], Sequence[Batch]],
    *,
    lr: float = 1e-2,
    **settings: Any,
) -> Run:
    """Return the run with Adam that most cases use; `settings` are further fields of `Run`."""
    optimizer = settings.pop("optimizer", None) or torch.optim.Adam(model.parameters(), lr=lr)
    return Run(model=model, optimizer=optimizer, losses=losses, batches=data[0], held_out=data[1], **settings)
