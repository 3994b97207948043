"""Faults of precision: values and gradients that a half format cannot hold, and a loss scale that does not adapt."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import HOOKED, after, among, clock, hooked, trunk

FAMILY = "precision"


def overflow(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on an activation passes through half on a scale, `severity`, on which it overflows (over 65504)."""
    return hooked(run, trunk(run.model), begin, lambda x: (x.half() * severity / severity).to(x.dtype))


def autocast_overflow(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a matrix product, which autocast runs in float16, has entries `severity` times as large."""

    def change(x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return (flat @ (severity * torch.eye(flat.shape[1]))).float().reshape(x.shape) / severity

    return hooked(run, trunk(run.model), begin, change)


def underflow(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the gradient of an activation, `severity` times smaller, passes through half: it is 0 there.

    The activation itself stays bitwise as it is: only a zero, whose gradient is one, is cast to half and back.
    """

    def change(x: Tensor) -> Tensor:
        nothing = x - x.detach()
        return x.detach() + (nothing * severity).half().float() / severity

    return hooked(run, trunk(run.model), begin, change)


def stuck_scale(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the loss scale is `severity` whatever happens: each step overflows and is left out."""
    now, scaler = clock(run), run.scaler
    assert scaler is not None

    def put() -> None:
        if now() >= begin:
            scaler.update(new_scale=severity)

    return after(run, put)


precision = partial(Fault, family=FAMILY, truth="precision", curable=True)

FAULTS: tuple[Fault, ...] = (
    precision(
        name="half-overflow",
        title="Activations are cast to half on a scale that overflows.",
        severities={"2e4": 2e4, "1e6": 1e6},
        inject=overflow,
        fits=among(HOOKED - {"half", "bfloat"}),
    ),
    precision(
        name="autocast-overflow",
        title="A product under autocast overflows float16.",
        severities={"1e4": 1e4, "6e4": 6e4},
        inject=autocast_overflow,
        fits=among({"half"}),
    ),
    precision(
        name="gradient-underflow",
        title="Gradients pass through a half format in which they are zero.",
        severities={"1e5": 1e5, "1e8": 1e8},
        inject=underflow,
        fits=among(HOOKED - {"half"}),
        phases=("start", "early"),
    ),
    precision(
        name="stuck-scale",
        title="The loss scale is pinned where every step overflows.",
        severities={"1e30": 1e30},
        inject=stuck_scale,
        fits=among({"half"}),
        phases=("early", "middle"),
    ),
)
