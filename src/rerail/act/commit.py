"""Commit an update under knobs. Knobs are multiplied on for the length of the step and never stay in the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from rerail.core.knobs import Knobs

RATES = frozenset({"lr", "initial_lr", "max_lr", "min_lr"})
COUNTED = frozenset({"k", "weight_sum", "lr_max", "scheduled_lr"})  # what schedule-free optimizers keep in their groups
GROUPS = 8  # parameter groups that are looked at; of hundreds, one a layer, the first ones speak for all
EPSILON = 1e-6  # as torch's clip_grad_norm_ adds it to the norm


def clip(gradients: Sequence[Tensor], norm: float, limit: float) -> None:
    """Scale gradients, whose total norm is `norm`, down to the norm `limit`; nothing where they are below it."""
    if norm > limit and gradients:
        torch._foreach_mul_(list(gradients), limit / (norm + EPSILON))


@contextmanager
def under(optimizers: Sequence[torch.optim.Optimizer], knobs: Knobs) -> Iterator[None]:
    """Set learning rates and settings as the knobs say inside the block; afterwards each is exactly what it was."""
    every = groups(optimizers)
    with held(every, knobs.settings), scaled(every, knobs):
        yield


def groups(optimizers: Sequence[torch.optim.Optimizer]) -> list[dict[str, Any]]:
    """Return the parameter groups of all optimizers, in order."""
    return [group for optimizer in optimizers for group in optimizer.param_groups]


def fresh(optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Empty the optimizers' memory: their states, and what schedule-free ones count in their groups."""
    for optimizer in optimizers:
        optimizer.state.clear()
        for group in optimizer.param_groups:
            group.update(
                {name: optimizer.defaults[name] for name in COUNTED & group.keys() & optimizer.defaults.keys()}
            )


def keep_cuts(optimizers: Sequence[torch.optim.Optimizer], rates: Sequence[float]) -> None:
    """Leave each learning rate no higher than in `rates`: what the user's own loop has lowered stays low."""
    for group, rate in zip(groups(optimizers), rates, strict=True):
        group["lr"] = min(group["lr"], rate)


def settings(every: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the numbers of the first parameter groups, by name and group; learning rates aside."""
    found: dict[str, float] = {}
    for number, group in enumerate(every[:GROUPS]):
        for name, value in group.items():
            parts = enumerate(value) if isinstance(value, tuple) else ()
            numbers = {name: value} if isinstance(value, float | int) else {f"{name}.{n}": one for n, one in parts}
            if name not in RATES | COUNTED:
                found |= {f"{one}/{number}": float(given) for one, given in numbers.items() if _number(given)}
    return found


def _number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


@contextmanager
def held(every: Sequence[dict[str, Any]], values: Mapping[str, float]) -> Iterator[None]:
    """Hold settings at `values` inside the block; what a step counts in its groups goes on meanwhile."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for key, value in values.items():
            name, _, number = key.rpartition("/")
            whole, _, place = name.partition(".")
            if int(number) < len(every) and whole in every[int(number)]:
                before.append((every[int(number)], whole, every[int(number)][whole]))
                _hold(every[int(number)], whole, place, value)
        yield
    finally:
        for group, name, old in reversed(before):
            group[name] = old


def _hold(group: dict[str, Any], name: str, place: str, value: float) -> None:
    old = group[name]
    group[name] = tuple(value if str(n) == place else one for n, one in enumerate(old)) if place else value


@contextmanager
def scaled(every: Sequence[dict[str, Any]], knobs: Knobs) -> Iterator[None]:
    """Scale every learning rate as the knobs say inside the block."""
    scale = knobs.lr_scale * knobs.lr_standing
    if math.isfinite(knobs.lr_most) and float(every[0]["lr"]) > knobs.lr_most:
        scale *= knobs.lr_most / float(every[0]["lr"])
    if scale == 1.0:
        yield
        return
    rates = [group["lr"] for group in every]
    try:
        for group, rate in zip(every, rates, strict=True):
            group["lr"] = rate * scale
        yield
    finally:
        for group, rate in zip(every, rates, strict=True):
            group["lr"] = rate


def commit(
    optimizers: Sequence[torch.optim.Optimizer], knobs: Knobs, scaler: torch.amp.GradScaler | None = None
) -> None:
    """Step every optimizer that has gradients, under knobs. With a scaler, gradients must be unscaled already.

    Raises:
        RuntimeError: where memory runs out inside an optimizer: no smaller batch helps, and the weights may be torn.
    """
    with under(optimizers, knobs):
        for optimizer in filter(has_gradients, optimizers):
            _step(optimizer, scaler)
    if scaler is not None:
        scaler.update()


def _step(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler | None) -> None:
    try:
        optimizer.step() if scaler is None else scaler.step(optimizer)
    except torch.OutOfMemoryError as error:
        raise RuntimeError(f"{_TORN}: {str(error).partition(chr(10))[0]}") from error


_TORN = (
    "out of memory inside the optimizer's step, so that some weights may have moved and others not; make the model "
    "smaller, choose an optimizer that keeps less, or free memory, and resume from the last checkpoint"
)


def has_gradients(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether any parameter of the optimizer has a gradient."""
    return any(one.grad is not None for group in optimizer.param_groups for one in group["params"])


def discard(scaler: torch.amp.GradScaler | None, *, overflow: bool) -> None:
    """Close a step that is not committed. Only an overflow halves the loss scale; any other step leaves no trace."""
    if scaler is None:
        return
    before = scaler.state_dict()
    scaler.update()
    if not overflow:
        scaler.load_state_dict(before)
