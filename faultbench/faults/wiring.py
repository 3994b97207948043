"""Faults of wiring a loss: softmax twice, sums for means, wrong weights and temperatures, targets of a wrong shape."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Fault
from faultbench.workloads.diffusion import noised

from .common import CLASSES, Components, among, drawn, hooked, rows, with_batches, with_losses
from .fresh_common import EVERY_SGD

FAMILY = "wiring"
LOGITS = CLASSES | {"ctc", "points"}  # models whose output is logits
COLUMN: Mapping[str, tuple[Callable[[Any], Tensor], str]] = {  # component -> a (batch, 1) of the output, its target
    "mse": (lambda output: output, "y"),
    "value": (lambda output: output[0][:, None], "y"),
    "area": (lambda output: output[0][:, :1], "area"),
}


def softmax_twice(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the loss takes the softmax of probabilities."""
    return hooked(run, run.model, begin, lambda logits: logits.softmax(-1))


def wrong_temperature(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the logits are multiplied by `severity` on their way to the loss."""
    return hooked(run, run.model, begin, lambda logits: logits * severity)


def summed(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the loss is the sum over rows, times `severity`, and not their mean."""

    def change(named: Components, batch: Mapping[str, Any]) -> Components:
        return {name: value * (severity * rows(batch)) for name, value in named.items()}

    return with_losses(run, begin, change)


def drowned(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the last component counts `severity` times."""

    def change(named: Components, _: Mapping[str, Any]) -> Components:
        last = list(named)[-1]
        return {**named, last: named[last] * severity}

    return with_losses(run, begin, change)


def broadcast(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a prediction (batch, 1) less a target (batch,) is (batch, batch), and its square the loss."""
    last: list[Any] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        last[:] = [output]

    def change(named: Components, batch: Mapping[str, Any]) -> Components:
        name = next(one for one in named if one in COLUMN)
        column, target = COLUMN[name]
        return {**named, name: (column(last[0]) - batch[target]).square().mean()}

    run.model.register_forward_hook(keep)
    return with_losses(run, begin, change)


def drawn_again(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the noise to be told is drawn again in a share `severity` of the numbers."""

    def change(_: Components, batch: Mapping[str, Any]) -> Components:
        x = batch["x"]
        t, noise, other = torch.rand(len(x)), torch.randn_like(x), torch.randn_like(x)
        target = torch.where(torch.rand_like(x) < severity, other, noise)
        return {"noise": F.mse_loss(run.model(noised(x, t, noise), t), target)}

    return with_losses(run, begin, change)


def wrong_time(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share `severity` of the rows is told another row's time."""

    def change(_: Components, batch: Mapping[str, Any]) -> Components:
        x = batch["x"]
        t, noise = torch.rand(len(x)), torch.randn_like(x)
        told = torch.where(torch.rand(len(x)) < severity, t.roll(1), t)
        return {"noise": F.mse_loss(run.model(noised(x, t, noise), told), noise)}

    return with_losses(run, begin, change)


def not_shifted(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share `severity` of the rows has the tokens themselves as target, not the next ones."""
    generator = drawn(seed)

    def change(batch: dict[str, Any]) -> dict[str, Any]:
        hit = torch.rand(rows(batch), generator=generator) < severity
        return {**batch, "y": torch.where(hit[:, None], batch["x"], batch["y"])}

    return with_batches(run, begin, change)


wiring = partial(Fault, family=FAMILY, truth="code", curable=False, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    wiring(
        name="softmax-twice",
        title="From a step on the loss takes the softmax of probabilities.",
        severities={"all": 1.0},
        inject=softmax_twice,
        fits=among(LOGITS),
        phases=("start", "early"),
    ),
    wiring(
        name="wrong-temperature",
        title="From a step on logits are multiplied by the temperature instead of divided.",
        severities={"x10": 10.0, "x100": 100.0},
        inject=wrong_temperature,
        fits=among(LOGITS | {"contrastive"}),
    ),
    wiring(
        name="summed-loss",
        title="From a step on the loss is a sum, and was a mean.",
        curable=True,
        severities={"rows": 1.0, "rows-x8": 8.0},
        inject=summed,
        fits=among(EVERY_SGD),
    ),
    wiring(
        name="drowned-components",
        title="From a step on the last component counts far too much, as a weight of a divergence may.",
        curable=True,
        severities={"x30": 30.0, "x1000": 1000.0},
        inject=drowned,
        fits=among({"vae", "bfloat", "tabular", "tacotron"}),
    ),
    wiring(
        name="broadcast-target",
        title="From a step on prediction and target have shapes that broadcast to a square.",
        severities={"all": 1.0},
        inject=broadcast,
        fits=among({"regression", "bfloat", "tabular"}),
    ),
    wiring(
        name="noise-drawn-again",
        title="From a step on the noise to be told is not the one that was added.",
        severities={"half": 0.5, "all": 1.0},
        inject=drawn_again,
        fits=among({"diffusion"}),
        phases=("start", "early", "late"),
    ),
    wiring(
        name="wrong-time",
        title="From a step on rows are told another row's time.",
        severities={"half": 0.5, "all": 1.0},
        inject=wrong_time,
        fits=among({"diffusion"}),
        phases=("start", "early", "late"),
    ),
    wiring(
        name="target-not-shifted",
        title="From a step on the target is the token that the model reads.",
        severities={"half": 0.5, "all": 1.0},
        inject=not_shifted,
        fits=among({"language-model"}),
    ),
)
