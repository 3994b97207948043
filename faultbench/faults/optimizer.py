"""Faults of the optimizer: a rate that is too high, settings that are wrong from a step on, moments that were lost."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch.optim.lr_scheduler import LambdaLR

from faultbench.case import Run
from faultbench.cell import Fault

from .common import ADAM, ALL, among, kept_at, once

FAMILY = "optimizer"
Rate = Callable[[int], float]


def hot(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the schedule gives `severity` times the rate."""
    schedule = run.scheduler
    assert isinstance(schedule, LambdaLR)

    def hotter(right: Rate) -> Rate:
        return lambda step: right(step) * (severity if step >= begin else 1.0)

    schedule.lr_lambdas = [hotter(right) for right in schedule.lr_lambdas]
    return run


def setting(run: Run, begin: int, **values: object) -> Run:
    """Give settings of the optimizer other values from `begin` on."""

    def change() -> None:
        for group in run.optimizer.param_groups:
            group.update(values)

    return kept_at(run, begin, change)


def momentum(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the momentum is `severity`: SGD's own, or Adam's first beta."""
    group = run.optimizer.param_groups[0]
    if "betas" in group:
        return setting(run, begin, betas=(severity, group["betas"][1]))
    return setting(run, begin, momentum=severity)


def beta2(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on Adam's second beta is `severity`."""
    return setting(run, begin, betas=(run.optimizer.param_groups[0]["betas"][0], severity))


def decay(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the weight decay is `severity`."""
    return setting(run, begin, weight_decay=severity)


def epsilon(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on Adam's epsilon is `severity`."""
    return setting(run, begin, eps=severity)


def moments(run: Run, begin: int, names: tuple[str, ...], factor: float) -> Run:
    """Multiply moments of every parameter once."""

    def spoil() -> None:
        for state in run.optimizer.state.values():
            for name in names:
                if isinstance(state.get(name), torch.Tensor):
                    state[name].mul_(factor)

    return once(run, begin, spoil)


def second_moment(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The second moments are lost: multiplied by `severity`, once."""
    return moments(run, begin, ("exp_avg_sq",), severity)


def first_moment(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The first moments are multiplied by `severity`, once."""
    return moments(run, begin, ("exp_avg", "momentum_buffer"), severity)


step_size = partial(Fault, family=FAMILY, truth="step size", curable=True)
spoilt = partial(Fault, family=FAMILY, truth="optimizer", curable=True)

FAULTS: tuple[Fault, ...] = (
    step_size(
        name="high-rate",
        title="From a step on the learning rate is far too high.",
        severities={"x10": 10.0, "x100": 100.0, "x1000": 1000.0},
        inject=hot,
        fits=among(ALL),
    ),
    step_size(
        name="high-momentum",
        title="From a step on the momentum is nearly one.",
        severities={"0.999": 0.999},
        inject=momentum,
        fits=among(ALL),
    ),
    spoilt(
        name="wrong-beta2",
        title="From a step on the second moment has no memory.",
        severities={"0": 0.0},
        inject=beta2,
        fits=among(ADAM),
    ),
    spoilt(
        name="lost-second-moment",
        title="The second moments are lost once.",
        severities={"1e-6": 1e-6, "1e-12": 1e-12},
        inject=second_moment,
        fits=among(ADAM),
        phases=("early", "middle", "late"),
    ),
    spoilt(
        name="poisoned-first-moment",
        title="The first moments grow by a large factor once.",
        severities={"1e2": 1e2, "1e5": 1e5},
        inject=first_moment,
        fits=among(ALL),
    ),
    spoilt(
        name="huge-decay",
        title="From a step on the weight decay is far too strong.",
        severities={"30": 30.0, "300": 300.0},
        inject=decay,
        fits=among(ALL),
    ),
    spoilt(
        name="wrong-epsilon",
        title="From a step on epsilon is zero (0 / 0 where a weight has no gradient), or larger than the gradients.",
        severities={"zero": 0.0, "100": 100.0},
        inject=epsilon,
        fits=among(ADAM),
    ),
)
