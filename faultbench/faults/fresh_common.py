"""What the fresh faults share: the names of the fresh workloads, shares of a batch's rows, gradients changed on the way.

No threshold was chosen on these faults, nor on these workloads; both are kept for the final count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from faultbench.case import Run

from .common import ADAM, ALL, CLASSES, FLOATS, HOOKED, SGD, TARGETS, clock, numbers, rows, with_batches

FRESH = frozenset({"diffusion", "ctc", "tabular", "points"})
EVERY = ALL | FRESH
EVERY_ADAPTIVE = ADAM | (FRESH - {"points"})
EVERY_SGD = SGD | {"points"}
EVERY_FLOATS = FLOATS | FRESH
EVERY_HOOKED = HOOKED | FRESH
EVERY_CLASSES = CLASSES | {"ctc", "tabular", "points"}
EVERY_TARGETS = (FLOATS & TARGETS) | {"ctc", "tabular", "points"}  # numbers in, and something to say about them


def on_rows(run: Run, begin: int, share: float, generator: torch.Generator, change: Callable[[Tensor], Tensor]) -> Run:
    """Change the inputs of a share of each batch's rows from `begin` on; `change` takes the column and gives another."""

    def changed(batch: dict[str, Any]) -> dict[str, Any]:
        column = batch[numbers(batch)].clone()
        hit = torch.randperm(rows(batch), generator=generator)[: round(share * rows(batch))]
        column[hit] = change(column)[hit]
        return {**batch, numbers(batch): column}

    return with_batches(run, begin, changed)


def on_gradients(
    run: Run, begin: int, parameters: Iterable[nn.Parameter], change: Callable[[int, Tensor], Tensor]
) -> Run:
    """Change the gradients of these parameters from `begin` on; `change` takes the parameter's number too."""
    now = clock(run)

    def hook(number: int, gradient: Tensor) -> Tensor:
        return change(number, gradient) if now() >= begin else gradient

    for number, parameter in enumerate(parameters):
        if parameter.requires_grad:
            parameter.register_hook(partial(hook, number))
    return run
