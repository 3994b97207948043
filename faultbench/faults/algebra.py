"""Faults of the loss's algebra: formulas that leave their domain on some rows, and components that count wrongly."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import ALL, SEVERAL, SGD, Components, among, drawn, rows, with_batches, with_losses

FAMILY = "algebra"
Factor = Callable[[Tensor, Tensor], Tensor]


def with_column(
    run: Run, begin: int, formula: Factor, usual: float, hit: Callable[[int], Tensor], batches: float
) -> Run:
    """Give each row a number in a column of its own, and make the first component depend on it.

    Where every row has the `usual` number the component is what it was, bit for bit.
    """
    given = [{**one, "mass": torch.full((rows(one),), usual)} for one in run.batches]
    spoilt = with_batches(replace(run, batches=given), begin, lambda one: {**one, "mass": hit(rows(one))}, batches)
    right = run.losses

    def losses(batch: Mapping[str, Any]) -> Mapping[str, Tensor]:
        named = dict(right(batch).items())
        if "mass" in batch:  # held-out rows have none
            first = next(iter(named))
            named[first] = formula(named[first], batch["mass"])
        return named

    return replace(spoilt, losses=losses)


def one_of(rows: int, usual: float, value: float, generator: torch.Generator) -> Tensor:
    """Give a column whose one number, by chance, is another."""
    column = torch.full((rows,), usual)
    column[torch.randint(0, rows, (1,), generator=generator)] = value
    return column


def log_of_zero(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Weigh the loss by a row's log mass, which is -inf for a row without any."""

    def formula(loss: Tensor, mass: Tensor) -> Tensor:
        return loss + (torch.log(mass) * loss).mean()

    generator = drawn(seed)
    return with_column(run, begin, formula, 1.0, lambda count: one_of(count, 1.0, 0.0, generator), severity)


def masked_mean(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Divide by the sum of a mask that is empty throughout some batches."""

    def formula(loss: Tensor, mass: Tensor) -> Tensor:
        return loss * (mass.sum() / mass.sum())

    return with_column(run, begin, formula, 1.0, torch.zeros, severity)


def exp_overflow(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Weigh rows by an exponential: exp(0) = 1 as a rule, and exp(`severity`) for a row in each of five batches."""

    def formula(loss: Tensor, mass: Tensor) -> Tensor:
        return loss * (torch.exp(mass).sum() / len(mass))

    generator = drawn(seed)
    return with_column(run, begin, formula, 0.0, lambda count: one_of(count, 0.0, severity, generator), 5)


def weighed(factor: float) -> Callable[[Components, Mapping[str, Any]], Components]:
    """Multiply the first component."""

    def change(named: Components, _: Mapping[str, Any]) -> Components:
        first = next(iter(named))
        return {**named, first: named[first] * factor}

    return change


def wrong_sign(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the first component is taken away instead of added."""
    return with_losses(run, begin, weighed(-severity))


def heavy_component(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the first component counts `severity` times."""
    return with_losses(run, begin, weighed(severity))


algebra = partial(Fault, family=FAMILY, truth="code")

FAULTS: tuple[Fault, ...] = (
    algebra(
        name="log-of-zero",
        title="The logarithm of a row's mass, which is zero now and then.",
        curable=True,
        severities={"once": 1, "often": 8},
        inject=log_of_zero,
        fits=among(ALL),
    ),
    algebra(
        name="masked-mean",
        title="A mean over a mask that is empty in some batches.",
        curable=True,
        severities={"once": 1, "often": 8},
        inject=masked_mean,
        fits=among(ALL),
    ),
    algebra(
        name="exp-overflow",
        title="A row's weight is an exponential that is huge, or overflows.",
        curable=True,
        severities={"1e13": 30.0, "inf": 100.0},
        inject=exp_overflow,
        fits=among(ALL),
    ),
    algebra(
        name="wrong-sign",
        title="From a step on a loss component is taken away instead of added.",
        curable=False,
        severities={"full": 1.0},
        inject=wrong_sign,
        fits=among(ALL),
    ),
    algebra(
        name="heavy-component",
        title="From a step on a loss component counts far too much.",
        curable=True,
        severities={"x30": 30.0, "x1000": 1000.0},
        inject=heavy_component,
        fits=among(SGD | SEVERAL),
    ),
)
