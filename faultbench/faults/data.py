"""Faults of the data: single rows that could not have been meant, and batches that are wrong from a step on."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import ALL, CLASSES, FLOATS, TARGETS, among, drawn, numbers, rows, targets, with_batches

FAMILY = "data"


def one_row(
    change: Callable[[Tensor], Tensor], generator: torch.Generator, batch: dict[str, Any], key: str
) -> dict[str, Any]:
    """Change one row of a column, by chance."""
    column = batch[key].clone()
    at = int(torch.randint(0, rows(batch), (1,), generator=generator))
    column[at] = change(column[at])
    return {**batch, key: column}


def nan_rows(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A row of each of `severity` batches is NaN."""
    generator = drawn(seed)
    spoil = partial(torch.full_like, fill_value=math.nan)
    return with_batches(run, begin, lambda batch: one_row(spoil, generator, batch, numbers(batch)), severity)


def huge_rows(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A row of each of five batches is `severity` times as large as it was."""
    generator = drawn(seed)
    return with_batches(
        run, begin, lambda batch: one_row(lambda row: row * severity, generator, batch, numbers(batch)), 5
    )


def far_targets(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The target of one row in each of five batches is `severity` too large."""
    generator = drawn(seed)
    return with_batches(run, begin, lambda batch: one_row(lambda row: row + severity, generator, batch, "y"), 5)


def constant_batches(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The inputs of `severity` batches are zero throughout, while the targets are as they were."""

    def emptied(batch: dict[str, Any]) -> dict[str, Any]:
        return {**batch, numbers(batch): torch.zeros_like(batch[numbers(batch)])}

    return with_batches(run, begin, emptied, severity)


def wrong_scale(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the inputs are on another scale."""
    return with_batches(run, begin, lambda batch: {**batch, numbers(batch): batch[numbers(batch)] * severity})


def mixed_scale(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share of the rows is on another scale, 255 times the right one."""
    generator = drawn(seed)

    def mixed(batch: dict[str, Any]) -> dict[str, Any]:
        column = batch[numbers(batch)].clone()
        wrong = torch.rand(rows(batch), generator=generator) < severity
        column[wrong] *= 255.0
        return {**batch, numbers(batch): column}

    return with_batches(run, begin, mixed)


def stuck_loader(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The loader gives the batch before `begin` again and again, `severity` times."""
    return with_batches(run, begin, lambda _: dict(run.batches[begin - 1]), severity)


def shuffled_targets(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share of the rows has another row's target."""
    generator = drawn(seed)

    def shuffled(batch: dict[str, Any]) -> dict[str, Any]:
        hit = torch.randperm(rows(batch), generator=generator)[: max(2, int(severity * rows(batch)))]
        order = torch.arange(rows(batch))
        order[hit] = hit.roll(1)
        return {**batch, **{key: batch[key][order] for key in targets(batch)}}

    return with_batches(run, begin, shuffled)


def unknown_class(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A row of each of `severity` batches has a label that no class has."""
    generator = drawn(seed)
    return with_batches(
        run, begin, lambda batch: one_row(lambda row: torch.full_like(row, 1000), generator, batch, "y"), severity
    )


def ignored_labels(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Every label of each of `severity` batches is -100, which the cross-entropy leaves out."""
    return with_batches(run, begin, lambda batch: {**batch, "y": torch.full_like(batch["y"], -100)}, severity)


data = partial(Fault, family=FAMILY, truth="data")

FAULTS: tuple[Fault, ...] = (
    data(
        name="nan-rows",
        title="A row is NaN in one batch, or in ten on end.",
        curable=True,
        severities={"once": 1, "often": 10},
        inject=nan_rows,
        fits=among(FLOATS),
    ),
    data(
        name="huge-rows",
        title="One row in each of five batches is far too large.",
        curable=True,
        severities={"1e3": 1e3, "1e6": 1e6},
        inject=huge_rows,
        fits=among(FLOATS),
        phases=("early", "middle", "late"),
    ),
    data(
        name="far-targets",
        title="The target of one row in each of five batches is far off.",
        curable=True,
        severities={"1e3": 1e3, "1e5": 1e5},
        inject=far_targets,
        fits=among({"regression", "bfloat"}),
    ),
    data(
        name="constant-batches",
        title="The inputs of batch after batch are zero.",
        curable=True,
        severities={"thirty": 30, "sixty": 60},
        inject=constant_batches,
        lost=int,
        fits=among(FLOATS - {"vae", "gan"}),
        phases=("late",),
    ),
    data(
        name="wrong-scale",
        title="From a step on all inputs are on another scale.",
        curable=False,
        severities={"x10": 10.0, "x255": 255.0},
        inject=wrong_scale,
        fits=among(FLOATS),
    ),
    data(
        name="mixed-scale",
        title="From a step on some rows are 255 times too large.",
        curable=True,
        severities={"few": 0.05, "third": 0.33},
        inject=mixed_scale,
        fits=among(FLOATS),
    ),
    data(
        name="stuck-loader",
        title="The loader gives the same batch for ever.",
        curable=False,
        severities={"rest": math.inf},
        inject=stuck_loader,
        fits=among(ALL),
        phases=("early", "middle"),
    ),
    data(
        name="shuffled-targets",
        title="From a step on rows have each other's targets.",
        curable=False,
        severities={"half": 0.5, "all": 1.0},
        inject=shuffled_targets,
        fits=among(TARGETS),
    ),
    data(
        name="unknown-class",
        title="A label that no class has: the loss function raises.",
        curable=True,
        severities={"once": 1},
        inject=unknown_class,
        fits=among(CLASSES),
    ),
    data(
        name="ignored-labels",
        title="A batch all of whose labels are ignored: the mean of nothing.",
        truth="code",
        curable=True,
        severities={"once": 1, "often": 5},
        inject=ignored_labels,
        fits=among(CLASSES),
    ),
)
