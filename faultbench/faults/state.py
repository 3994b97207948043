"""Faults of the state, once and from outside: weights, statistics and moments that memory or a bad write spoilt."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from faultbench.case import Run
from faultbench.cell import Fault

from .common import ALL, among, clock, drawn, largest, layers, once

FAMILY = "state"


def bit_flip(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Flip bit `severity` of one weight, counted from the lowest; 30 is the exponent's highest."""

    def flip() -> None:
        bits = largest(run.model).data.view(torch.int32).view(-1)
        at = int(torch.randint(0, len(bits), (1,), generator=drawn(seed)))
        bits[at] ^= 1 << int(severity)

    return once(run, begin, flip)


def nan_weight(run: Run, severity: float, begin: int, seed: int) -> Run:
    """`severity` weights are NaN."""

    def spoil() -> None:
        weight = largest(run.model).data.view(-1)
        weight[torch.randint(0, len(weight), (int(severity),), generator=drawn(seed))] = math.nan

    return once(run, begin, spoil)


def zeroed_layer(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A share `severity` of the layers is zero."""

    def zero() -> None:
        for layer in list(layers(run.model))[-math.ceil(severity * len(list(layers(run.model)))) :]:
            for parameter in layer.parameters():
                parameter.data.zero_()

    return once(run, begin, zero)


def statistics(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The running variance of every batch norm is `severity`."""

    def spoil() -> None:
        for module in run.model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.running_var is not None:
                module.running_var.fill_(severity)

    return once(run, begin, spoil)


def nan_moment(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A moment of one parameter is NaN."""

    def spoil() -> None:
        state = run.optimizer.state[largest(run.model)]
        moments = [one for one in state.values() if isinstance(one, Tensor) and one.dim()]
        moments[0].view(-1)[0] = math.nan

    return once(run, begin, spoil)


def passing_nan(run: Run, severity: float, begin: int, seed: int) -> Run:
    """One gradient is NaN, once: the same step taken again is sound."""
    now, done = clock(run), False

    def hook(gradient: Tensor) -> Tensor:
        nonlocal done
        if done or now() != begin:
            return gradient
        done = True
        return gradient * math.nan

    largest(run.model).register_hook(hook)
    return run


state = partial(Fault, family=FAMILY, truth="weights", curable=True)

FAULTS: tuple[Fault, ...] = (
    state(
        name="bit-flip",
        title="The highest bit of one weight's exponent flips.",
        severities={"top": 30},
        inject=bit_flip,
        fits=among(ALL),
    ),
    state(name="nan-weight", title="A weight is NaN.", severities={"one": 1}, inject=nan_weight, fits=among(ALL)),
    state(
        name="zeroed-layers",
        title="Layers are zero after a bad write.",
        severities={"half": 0.5, "all": 1.0},
        inject=zeroed_layer,
        fits=among(ALL),
        phases=("late",),
    ),
    state(
        name="poisoned-statistics",
        title="The running variance of a batch norm is not finite.",
        severities={"inf": math.inf, "nan": math.nan},
        inject=statistics,
        fits=among({"digits-cnn"}),
    ),
    state(
        name="nan-moment",
        title="A moment of the optimizer is NaN.",
        truth="optimizer",
        severities={"one": 1},
        inject=nan_moment,
        fits=among(ALL),
    ),
    state(
        name="passing-nan",
        title="A gradient is NaN once, and sound when the step is taken again.",
        truth="transient",
        severities={"once": 1},
        inject=passing_nan,
        fits=among(ALL),
    ),
)
