"""What a failure of the zoo is: a small training run that goes wrong for one known reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run: what a person would hand to `rerail.Guard`, and its batches in training order."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: Callable[[Any], Mapping[str, Tensor]]
    batches: Sequence[Batch]
    held_out: Sequence[Batch]  # clean, finite, never trained on
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None
    precision: torch.dtype | None = None  # autocast dtype that the guard applies round `losses` (bf16/fp16)
    scaler: torch.amp.GradScaler | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    clip_norm: float = float("inf")
    after_commit: Callable[[], None] | None = None  # called after each committed step (faults of the run's own state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is really wrong.

    `kind`:

    - data: the rows could not have been meant (NaN, a length of 0, silence, a row twice, a text longer than its audio),
      and break this code with any weights;
    - toxic: sound rows that break with the present weights only, and not with those of the start;
    - weights, optimizer: that state was spoilt before this step; any batch fails, or the update is wrong;
    - step size: the step is healthy, a few of them diverge, and a tenth of it does not;
    - precision: single precision is healthy;
    - code: a formula at its edge, hit by rows that could have been meant, with any weights, or by every batch;
    - transient: it does not happen again.

    `component` is the loss that goes bad alone or first ("" for optimizer and step size, where none is to blame);
    `operation` the first operation that makes a non-finite output whose result reaches loss or gradient, as torch's
    dispatcher names it without namespace and overload, in the backward pass the operation there; "" where none is made,
    and for a transient fault, which no replay can meet again; `line` a fragment of the source line that calls it;
    `samples` the ids of the toxic rows, exactly, empty where none or every row is to blame; they are judged for data,
    toxic and code. `step` is the index of the batch at which the failure first shows.
    """

    kind: str
    component: str = ""
    operation: str = ""
    line: str = ""
    samples: tuple[str, ...] = ()
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A failure. `build(seed, faulty=False)` is the same run with the fault mended (clean data, right code)."""

    name: str  # kebab-case, unique
    title: str  # one plain sentence: what goes wrong
    source: str  # URL of the public thread it reproduces
    package: str  # "" where the model is our own, else the pip requirement of the model that we did not write
    truth: Truth
    repairable: bool  # can a setting or leaving out rows cure it (not: code, or all data)
    build: Callable[..., Run]
