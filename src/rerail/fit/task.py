"""The seam between a trainer and the loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import nn

from rerail.guard import LossFunction, Picture, Plan, Positioned, Sound, Stateful


class Data(Positioned, Protocol):
    """Endless training batches whose position can be saved."""

    def __iter__(self) -> Iterator[Any]:
        """Yield batches from the present position on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a task builds for one run. `weights` are the loss weights, `plan` None for the default plan.

    `target` names the held-out metric that early stopping and trials go by, the smaller the better. `adaptable` are the
    components whose weights may be tried, by their gradients beside that of `anchor`. Where a loss compares the rows of
    a batch, a part of the batch has another one: `undivided` is what to do then where memory runs out, empty elsewhere.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    losses: LossFunction
    data: Data
    held_out: Iterable[Any]
    weights: Mapping[str, float] = field(default_factory=dict)
    plan: Plan | None = None
    state: tuple[Stateful, ...] = ()
    target: str = ""
    adaptable: tuple[str, ...] = ()
    anchor: str = ""
    undivided: str = ""


class Task(Protocol):
    """One trainer."""

    def build(self) -> Parts:
        """Make a fresh run's parts. The seed is set before."""
        ...

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure held-out metrics: unweighted, deterministic, the model left as it was."""
        ...

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Make what people would rather see or hear; `last` at the end of the run."""
        ...
