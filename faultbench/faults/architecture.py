"""Faults of the architecture, from the start: units that are dead, saturated, badly scaled or not normalised."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from faultbench.case import Run
from faultbench.cell import Fault

from .common import ALL, NORMED, RELU, among, layers

FAMILY = "architecture"
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)


class Saturating(nn.Module):
    """A steep sigmoid."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Give values in (0, 1)."""
        return torch.sigmoid(self.slope * x)


def replaced(model: nn.Module, kinds: tuple[type[nn.Module], ...], other: nn.Module) -> None:
    """Put `other` into the place of each module of these kinds."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, kinds):
                setattr(module, name, other)


def dead_units(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The biases before the rectifiers start at -`severity`, so that no unit is ever above zero."""
    found = list(layers(run.model))
    for layer in found[:-1]:
        if isinstance(layer.bias, Tensor):
            layer.bias.data.fill_(-severity)
    for module in run.model.modules():  # behind a norm the bias is the norm's
        if isinstance(module, NORMS) and isinstance(module.bias, Tensor):
            module.bias.data.fill_(-severity)
    return run


def saturated(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Steep sigmoids stand where rectifiers should."""
    replaced(run.model, (nn.ReLU,), Saturating(severity))
    return run


def wide_start(run: Run, severity: float, begin: int, seed: int) -> Run:
    """Every matrix starts `severity` times too large."""
    for parameter in run.model.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(severity)
    return run


def not_normalised(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The norms are missing, and the inputs are `severity` times as large as the norms were to make up for."""
    replaced(run.model, NORMS, nn.Identity())
    next(layers(run.model)).weight.data.mul_(severity)
    return run


architecture = partial(Fault, family=FAMILY, truth="architecture", curable=False, phases=("start",))

FAULTS: tuple[Fault, ...] = (
    architecture(
        name="dead-units",
        title="Biases of -10 before the rectifiers: no unit is ever above zero.",
        severities={"-10": 10.0, "-100": 100.0},
        inject=dead_units,
        fits=among(RELU),
    ),
    architecture(
        name="saturated-units",
        title="Steep sigmoids in place of rectifiers: gradients vanish.",
        severities={"slope-10": 10.0, "slope-100": 100.0},
        inject=saturated,
        fits=among(RELU),
    ),
    architecture(
        name="wide-start",
        title="Weights start far too large.",
        severities={"x10": 10.0, "x30": 30.0},
        inject=wide_start,
        fits=among(ALL),
    ),
    architecture(
        name="no-norm",
        title="The norms are missing.",
        severities={"x1": 1.0, "x10": 10.0},
        inject=not_normalised,
        fits=among(NORMED),
    ),
)
