"""Faults of the code around the model: what is trained, on which target, by which gradient, in which mode."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Fault

from .common import (
    ALL,
    HOOKED,
    TARGETS,
    Components,
    after,
    among,
    clock,
    hooked,
    targets,
    trunk,
    with_batches,
    with_losses,
)

FAMILY = "code"


def no_zero_grad(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the gradients of earlier steps are added to each step's own, the share `severity` of them."""
    now = clock(run)
    trained = [one for one in run.model.parameters() if one.requires_grad]
    last: dict[int, Tensor] = {}
    sums: dict[int, Tensor] = {}

    def kept(number: int, gradient: Tensor) -> Tensor:
        if now() < begin:
            return gradient
        last[number] = gradient.detach().clone()
        return gradient + sums[number] if number in sums else gradient

    def add() -> None:
        for number, gradient in last.items():
            sums[number] = severity * (sums[number] + gradient if number in sums else gradient)
        last.clear()

    for number, parameter in enumerate(trained):
        parameter.register_hook(partial(kept, number))
    return after(run, add)


def untrained_part(run: Run, severity: float, begin: int, seed: int) -> Run:
    """A share of the parameters, the first ones, is in no optimizer."""
    parameters = [one for one in run.model.parameters() if one.requires_grad]
    left_out = {id(one) for one in parameters[: int(severity * len(parameters))]}
    for group in run.optimizer.param_groups:
        group["params"] = [one for one in group["params"] if id(one) not in left_out]
    return run


def detached(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the head reads a detached tensor: nothing before it learns."""
    return hooked(run, trunk(run.model), begin, lambda x: x.detach())


def off_by_one(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on each row has the target of the row `severity` before it."""

    def moved(batch: dict[str, Any]) -> dict[str, Any]:
        return {**batch, **{key: batch[key].roll(int(severity), 0) for key in targets(batch)}}

    return with_batches(run, begin, moved)


def dropout_in_use(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on units are dropped, and go on being dropped where the model is measured."""
    return hooked(run, trunk(run.model), begin, lambda x: F.dropout(x, severity, training=True), measured=True)


def norm_in_eval(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the batch norms stay in evaluation mode: their statistics stand still."""
    now = clock(run)

    def stay(module: nn.Module, _: Any) -> None:
        if now() >= begin:
            module.training = False

    for module in run.model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(stay)
    return run


def constant_loss(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on every component is a number that nothing descends on."""

    def held(named: Components, _: Mapping[str, Any]) -> Components:
        return {name: value.detach() + 0.0 * value for name, value in named.items()}

    return with_losses(run, begin, held)


code = partial(Fault, family=FAMILY, truth="code", curable=False)

FAULTS: tuple[Fault, ...] = (
    code(
        name="no-zero-grad",
        title="From a step on gradients are never set to zero.",
        severities={"all": 1.0},
        inject=no_zero_grad,
        fits=among(ALL),
    ),
    code(
        name="untrained-part",
        title="Part of the model is in no optimizer.",
        severities={"half": 0.5, "most": 0.8},
        inject=untrained_part,
        fits=among(ALL),
        phases=("start",),
    ),
    code(
        name="detached-trunk",
        title="From a step on the head reads a detached tensor.",
        severities={"all": 1.0},
        inject=detached,
        fits=among(HOOKED),
        phases=("start", "early"),
    ),
    code(
        name="off-by-one",
        title="From a step on each row has its neighbour's target.",
        severities={"one": 1},
        inject=off_by_one,
        fits=among(TARGETS),
    ),
    code(
        name="dropout-in-use",
        title="Dropout is left on where the model is used.",
        severities={"0.3": 0.3, "0.7": 0.7},
        inject=dropout_in_use,
        fits=among(HOOKED),
    ),
    code(
        name="norm-in-eval",
        title="From a step on batch norms are left in evaluation mode.",
        severities={"all": 1.0},
        inject=norm_in_eval,
        fits=among({"digits-cnn"}),
        phases=("start", "early"),
    ),
    code(
        name="constant-loss",
        title="From a step on the loss is a constant.",
        severities={"all": 1.0},
        inject=constant_loss,
        fits=among(ALL),
        phases=("start", "early"),
    ),
)
