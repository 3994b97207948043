"""Faults of the schedule: a rate that grows, is gone at once, restarts far too hot, or starts over late in the run."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from torch.optim.lr_scheduler import LambdaLR

from faultbench.case import Run
from faultbench.cell import Fault

from .common import among
from .fresh_common import EVERY

FAMILY = "schedule"
Rate = Callable[[int], float]
CYCLE = 20  # steps between restarts


def rescheduled(run: Run, begin: int, change: Callable[[Rate, int], float]) -> Run:
    """Give the rate another course from `begin` on; `change` takes the right course and the step."""
    schedule = run.scheduler
    assert isinstance(schedule, LambdaLR)

    def course(right: Rate) -> Rate:
        return lambda step: change(right, step) if step >= begin else right(step)

    schedule.lr_lambdas = [course(right) for right in schedule.lr_lambdas]
    if begin == 0:  # the first rate was set when the schedule was made
        for group, rate in zip(run.optimizer.param_groups, schedule.lr_lambdas, strict=True):
            group["lr"] = group["initial_lr"] * rate(0)
    return run


def growing(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the rate is multiplied by `severity` each step, once more than the step before."""
    return rescheduled(run, begin, lambda right, step: right(step) * severity ** (step - begin + 1))


def hot_restarts(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the rate restarts every 20 steps, at `severity` times the highest of the run."""

    def rate(_: Rate, step: int) -> float:
        return severity * 0.5 * (1 + math.cos(math.pi * ((step - begin) % CYCLE) / CYCLE))

    return rescheduled(run, begin, rate)


def over_again(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the schedule starts over at its full rate, without its warm-up, times `severity`."""
    return rescheduled(run, begin, lambda _, __: severity)


step_size = partial(Fault, family=FAMILY, truth="step size", curable=True, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    step_size(
        name="growing-rate",
        title="The decay of the rate is above one: it grows with every step.",
        severities={"1.03": 1.03, "1.2": 1.2},
        inject=growing,
        fits=among(EVERY),
    ),
    step_size(
        name="rate-gone",
        title="A schedule meant for epochs is stepped with every batch: the rate is gone.",
        severities={"0.9": 0.9, "0.5": 0.5},
        inject=growing,
        fits=among(EVERY),
        phases=("start", "early"),
    ),
    step_size(
        name="hot-restarts",
        title="From a step on the rate restarts every 20 steps, far too hot.",
        severities={"x5": 5.0, "x50": 50.0},
        inject=hot_restarts,
        fits=among(EVERY),
    ),
    step_size(
        name="schedule-starts-over",
        title="After a resume the schedule is at its full rate again, and stays there.",
        severities={"x1": 1.0, "x4": 4.0},
        inject=over_again,
        fits=among(EVERY - {"regression", "lstm", "vae"}),  # whose rate is constant
        phases=("late",),
    ),
)
