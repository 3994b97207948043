"""Shared pieces of the state faults: a clock for faults that come after a given step, row cutting, tiny models.

`step` in the truths of this family is the batch whose *training step* goes wrong. Where weights are poisoned that is
the first batch whose loss goes bad; where the optimizer or the step size is to blame the loss of that batch is still
healthy, the update it leads to is not, and the loss shows it one to six batches later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

Rows = Mapping[str, Tensor]
STEPS = 60


def once_after(commits: int, action: Callable[[], None]) -> Callable[[], None]:
    """An `after_commit` that runs `action` once, when `commits` steps were committed: batch `commits` meets it."""
    done = 0

    def after_commit() -> None:
        nonlocal done
        done += 1
        if done == commits:
            action()

    return after_commit


def fire_once(module: nn.Module, commits: int, spoil: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    """Let `module` give a spoilt output once, at its first call after `commits` committed steps."""
    armed = False

    def arm() -> None:
        nonlocal armed
        armed = True

    def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        nonlocal armed
        if not armed:
            return output
        armed = False
        return spoil(output)

    module.register_forward_hook(hook)
    return once_after(commits, arm)


def cut(rows: Rows, size: int, prefix: str) -> list[dict[str, Any]]:
    """Cut rows into batches of `size`, each row with its own id: prefix, batch number, place in the batch."""
    total = len(next(iter(rows.values())))
    batches: list[dict[str, Any]] = []
    for number, start in enumerate(range(0, total, size)):
        batch: dict[str, Any] = {name: tensor[start : start + size].clone() for name, tensor in rows.items()}
        batch["id"] = [f"{prefix}-{number:03d}-{place:02d}" for place in range(min(size, total - start))]
        batches.append(batch)
    return batches


def replaced(batch: Mapping[str, Any], name: str, places: Iterable[int], values: Tensor) -> dict[str, Any]:
    """The same batch with the values of column `name` at `places` replaced."""
    tensor = batch[name].clone()
    tensor[list(places)] = values.to(tensor.dtype)
    return {**batch, name: tensor}


def row_ids(prefix: str, batch: int, places: Iterable[int]) -> tuple[str, ...]:
    """The ids that `cut` gave to the rows at `places` of one batch."""
    return tuple(f"{prefix}-{batch:03d}-{place:02d}" for place in places)


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inward, outward in pairwise(widths):
        layers += [nn.Linear(inward, outward), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def regression_rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Eight features and a smooth target with a little noise."""
    x = torch.randn(count, 8, generator=generator)
    y = torch.sin(x[:, 0]) + 0.5 * x[:, 1] - 0.3 * x[:, 2] * x[:, 3].tanh()
    return {"x": x, "y": y + 0.1 * torch.randn(count, generator=generator)}


def class_rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Four Gaussian clusters in eight dimensions with their number as label."""
    label = torch.randint(0, 4, (count,), generator=generator)
    centre = torch.eye(8)[:4] * 2.5
    return {"x": centre[label] + torch.randn(count, 8, generator=generator), "label": label}
