"""What the workloads share: seeding, schedules, real digits, and batches cut from rows.

Every batch has its rows' ids under `id`, its inputs under `x`, and its targets, where it has any, under `y`. Held-out
rows are the same for all seeds. Every run has a `LambdaLR`, whose step count is the clock of the faults: it goes back
with a rewind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from faultbench.state_common import cut

HELD_OUT_SEED = 99991


def seeded(seed: int) -> torch.Generator:
    """Seed torch and give the generator of the data."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(7919 * seed + 1)


def constant(optimizer: torch.optim.Optimizer) -> LambdaLR:
    """Give a schedule that leaves the rate as it is."""
    return LambdaLR(optimizer, lambda _: 1.0)


def warmup_cosine(optimizer: torch.optim.Optimizer, steps: int, warmup: int = 20, floor: float = 0.1) -> LambdaLR:
    """Give a schedule that rises over `warmup` steps, then falls as a cosine to the share `floor`."""

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / (steps - warmup))))

    return LambdaLR(optimizer, share)


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Give scikit-learn's handwritten digits: images (1797, 1, 8, 8) in [0, 1], and labels (1797,)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 (only these workloads need it)

    images, labels = load_digits(return_X_y=True)
    return torch.from_numpy(images).float().reshape(-1, 1, 8, 8) / 16.0, torch.from_numpy(labels).long()


def split_digits() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give training and held-out digits as rows `x` and `y`; the same 320 are always held out."""
    images, labels = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(HELD_OUT_SEED))
    held, rest = order[:320], order[320:]
    return {"x": images[rest], "y": labels[rest]}, {"x": images[held], "y": labels[held]}


def epochs(rows: Mapping[str, Tensor], steps: int, size: int, generator: torch.Generator) -> list[dict[str, Any]]:
    """Cut `steps` batches from rows, which are shuffled anew each epoch; a row that comes again has another id."""
    total = len(next(iter(rows.values())))
    orders = [torch.randperm(total, generator=generator) for _ in range(math.ceil(steps * size / total))]
    chosen = torch.cat(orders)[: steps * size]
    return cut({name: tensor[chosen] for name, tensor in rows.items()}, size, "row")


def dealt(
    make: Callable[[int, torch.Generator], dict[str, Tensor]],
    generator: torch.Generator,
    steps: int,
    size: int = 16,
) -> dict[str, Any]:
    """Make new rows for each batch, and held-out rows that no seed changes."""
    held_out = make(256, torch.Generator().manual_seed(HELD_OUT_SEED))
    return {"batches": cut(make(steps * size, generator), size, "row"), "held_out": cut(held_out, 64, "held")}
