"""Faults of gradients on their way to the optimizer: turned, late, lost, or another's garbage."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

import math
from collections import deque
from functools import partial

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import among, drawn, largest
from .fresh_common import EVERY, on_gradients

FAMILY = "gradients"


def turned_gradient(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the gradient of the largest parameter is multiplied by -`severity`."""
    return on_gradients(run, begin, [largest(run.model)], lambda _, gradient: -severity * gradient)


def stale(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on each step takes the gradient of `severity` steps before, but none from before `begin`."""
    kept: dict[int, deque[Tensor]] = {}

    def late(number: int, gradient: Tensor) -> Tensor:
        queue = kept.setdefault(number, deque(maxlen=int(severity) + 1))
        queue.append(gradient.detach().clone())
        return queue[0].clone()

    return on_gradients(run, begin, run.model.parameters(), late)


def lost_bucket(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the gradients of a share `severity` of the parameters, the last ones, are zero."""
    parameters = list(run.model.parameters())
    lost = parameters[-math.ceil(severity * len(parameters)) :]
    return on_gradients(run, begin, lost, lambda _, gradient: torch.zeros_like(gradient))


def garbage(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on noise is added to each gradient, `severity` times as long as it is."""
    generator = drawn(seed)

    def noisy(_: int, gradient: Tensor) -> Tensor:
        noise = torch.randn(gradient.shape, generator=generator, dtype=gradient.dtype)
        return gradient + noise * (severity * gradient.norm() / math.sqrt(gradient.numel()))

    return on_gradients(run, begin, run.model.parameters(), noisy)


gradients = partial(Fault, family=FAMILY, truth="code", curable=False, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    gradients(
        name="turned-gradient",
        title="From a step on the gradient of one layer has the wrong sign.",
        severities={"tenth": 0.1, "full": 1.0},
        inject=turned_gradient,
        fits=among(EVERY),
    ),
    gradients(
        name="stale-gradients",
        title="From a step on gradients arrive some steps late.",
        severities={"two": 2, "twelve": 12},
        inject=stale,
        fits=among(EVERY),
    ),
    gradients(
        name="lost-bucket",
        title="From a step on the gradients of the last parameters never arrive: they are zero.",
        severities={"half": 0.5, "most": 0.9},
        inject=lost_bucket,
        fits=among(EVERY),
        phases=("start", "early"),
    ),
    gradients(
        name="garbage-rank",
        title="From a step on gradients are summed with those of a rank that computes garbage.",
        severities={"x3": 3.0, "x30": 30.0},
        inject=garbage,
        fits=among(EVERY),
    ),
)
