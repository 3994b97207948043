"""Faults of the hardware: bits of activations, gradients or weights that flip while everything else is right."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from faultbench.case import Run
from faultbench.cell import Fault

from .common import among, clock, drawn, once, trunk
from .fresh_common import EVERY, EVERY_HOOKED, on_gradients

FAMILY = "hardware"
TOP = 1 << 30  # the highest bit of a single-precision exponent


def flipped(x: Tensor, generator: torch.Generator) -> Tensor:
    """Flip the highest bit of the exponent of one number in 256, by chance; the gradient passes as if nothing were."""
    bits = x.detach().clone().flatten().view(torch.int32)
    hit = torch.randint(0, len(bits), (1 + len(bits) // 256,), generator=generator)
    bits[hit] ^= TOP
    return x + (bits.view(torch.float32).reshape(x.shape) - x).detach()


def activation_flips(run: Run, severity: float, begin: int, seed: int) -> Run:
    """In `severity` steps on end, bits of an activation flip; a step that is taken again is sound."""
    now, model, generator, done = clock(run), run.model, drawn(seed), set[int]()

    def hook(_: nn.Module, __: Any, output: Tensor) -> Tensor | None:
        if not model.training or now() in done or not begin <= now() < begin + severity:
            return None
        done.add(now())
        return flipped(output, generator)

    trunk(model).register_forward_hook(hook)
    return run


def gradient_burst(run: Run, severity: float, begin: int, seed: int) -> Run:
    """All gradients of one step are `severity` times too large; a step that is taken again is sound."""
    done = set[int]()

    def burst(number: int, gradient: Tensor) -> Tensor:
        if number in done or now() > begin:
            return gradient
        done.add(number)
        return gradient * severity

    now = clock(run)
    return on_gradients(run, begin, run.model.parameters(), burst)


def sign_flips(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The signs of a share `severity` of all weights flip, once."""
    generator = drawn(seed)

    def flip() -> None:
        for parameter in run.model.parameters():
            hit = torch.rand(parameter.shape, generator=generator) < severity
            parameter.data[hit] *= -1

    return once(run, begin, flip)


hardware = partial(Fault, family=FAMILY, truth="transient", curable=True, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    hardware(
        name="activation-flips",
        title="Bits of an activation flip in one step, or in twenty on end.",
        severities={"once": 1, "twenty": 20},
        inject=activation_flips,
        fits=among(EVERY_HOOKED - {"half", "bfloat"}),  # single precision
    ),
    hardware(
        name="gradient-burst",
        title="The gradients of one step are far too large, once.",
        severities={"1e4": 1e4, "1e8": 1e8},
        inject=gradient_burst,
        fits=among(EVERY),
    ),
    hardware(
        name="sign-flips",
        title="The signs of some weights flip, once.",
        truth="weights",
        severities={"few": 0.02, "third": 0.33},
        inject=sign_flips,
        fits=among(EVERY),
        phases=("late",),
    ),
)
