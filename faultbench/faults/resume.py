"""Faults of resuming: moments of another run, weights of two ages, a wrong layout, a loop of restores, a bad average."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import after, among, clock, drawn, once
from .fresh_common import EVERY, EVERY_ADAPTIVE

FAMILY = "resume"
SQUARES = ("exp_avg_sq", "square_avg")  # second moments, as torch names them


def foreign_moments(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The moments are those of another run, in another order, whose loss was `severity` times as large."""
    generator = drawn(seed)

    def load() -> None:
        for state in run.optimizer.state.values():
            for name, moment in state.items():
                if isinstance(moment, Tensor) and moment.dim():
                    order = torch.randperm(moment.numel(), generator=generator)
                    scale = severity**2 if name in SQUARES else severity
                    moment.copy_(scale * moment.flatten()[order].reshape(moment.shape))

    return once(run, begin, load)


def mixed_checkpoint(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A share `severity` of the tensors comes from the checkpoint of the run's start."""
    first = {name: one.detach().clone() for name, one in run.model.named_parameters()}
    order = torch.randperm(len(first), generator=drawn(seed)).tolist()
    old = {list(first)[at] for at in order[: math.ceil(severity * len(first))]}

    def load() -> None:
        for name, parameter in run.model.named_parameters():
            if name in old:
                parameter.data.copy_(first[name])

    return once(run, begin, load)


def turned_weights(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The `severity` largest matrices are read in the other order of rows and columns."""

    def load() -> None:
        matrices = sorted((one for one in run.model.parameters() if one.dim() > 1), key=lambda one: -one.numel())
        for one in matrices[: int(severity)]:
            one.data.copy_(one.data.flatten(1).t().reshape(one.shape).clone())

    return once(run, begin, load)


def restore_loop(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the checkpoint of that step is loaded again every `severity` steps."""
    now, kept = clock(run), {name: one.detach().clone() for name, one in run.model.named_parameters()}

    def load() -> None:
        if now() < begin or (now() - begin) % int(severity):
            return
        for name, parameter in run.model.named_parameters():
            if now() == begin:
                kept[name] = parameter.detach().clone()
            else:
                parameter.data.copy_(kept[name])

    return after(run, load)


def poisoned_average(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The averaged weights, which only measuring uses, are multiplied by `severity` once."""

    def spoil() -> None:
        for name, buffer in run.model.named_buffers():
            if name.startswith("mean_"):
                buffer.mul_(severity)

    return once(run, begin, spoil)


resume = partial(Fault, family=FAMILY, truth="weights", curable=True, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    resume(
        name="foreign-moments",
        title="The optimizer's state is that of another run, with a loss of another size.",
        truth="optimizer",
        severities={"x1": 1.0, "x1000": 1e3},
        inject=foreign_moments,
        fits=among(EVERY_ADAPTIVE),
    ),
    resume(
        name="mixed-checkpoint",
        title="Some tensors come from an older checkpoint: that of the start.",
        severities={"half": 0.5, "most": 0.9},
        inject=mixed_checkpoint,
        fits=among(EVERY),
        phases=("late",),
    ),
    resume(
        name="turned-weights",
        title="Matrices are loaded in the wrong layout.",
        severities={"one": 1, "all": 1000},
        inject=turned_weights,
        fits=among(EVERY),
        phases=("late",),
    ),
    resume(
        name="restore-loop",
        title="From a step on the same checkpoint is loaded again and again.",
        truth="code",
        curable=False,
        severities={"20": 20, "5": 5},
        inject=restore_loop,
        fits=among(EVERY),
        phases=("start", "early"),
    ),
    resume(
        name="poisoned-average",
        title="The averaged weights are spoilt, while those that are trained are sound.",
        severities={"x100": 100.0, "nan": math.nan},
        inject=poisoned_average,
        fits=among({"diffusion"}),
        phases=("early", "late"),
    ),
)
