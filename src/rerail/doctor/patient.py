"""The run under examination: its own model, borrowed, put back to the same state before each check."""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from rerail.act import state
from rerail.act.commit import clip, commit
from rerail.core.knobs import NEUTRAL, Knobs
from rerail.core.reading import Reading
from rerail.guard import Guard
from rerail.prove.attempt import Recipe, attempt
from rerail.prove.replay import Bench, FixedScale

AHEAD = 1000  # steps of the schedule that are looked at for its highest rate
HALVINGS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A run and one batch of it.

    `saved` is the state that every check starts from; `rates` are the highest learning rates of each parameter group
    within the next steps of the schedule (a warm-up's first rate moves nothing); `scale` is a loss scale under which
    the gradients are finite; `seconds` is what one forward and backward pass takes.
    """

    bench: Bench
    batch: Any
    saved: Mapping[str, Any]
    rates: Sequence[float]
    modes: Mapping[nn.Module, bool]
    clip_norm: float
    steps: int
    draws_in_eval: bool
    scale: float
    seconds: float = 0.0

    @property
    def recipe(self) -> Recipe:
        """How the run makes a loss."""
        return self.bench.recipe

    @property
    def model(self) -> nn.Module:
        """The run's model."""
        return self.bench.parts.model

    def fresh(self) -> None:
        """Put everything back to where the examination began, with the schedule's highest rates."""
        state.restore(self.bench.parts, self.saved)
        for module, mode in self.modes.items():
            module.training = mode
        set_rates(self.bench, self.rates)
        self.clear()

    def clear(self) -> None:
        """Drop all gradients."""
        for parameter in self.bench.trained():
            parameter.grad = None

    def backward(self, knobs: Knobs = NEUTRAL, scale: float | None = None) -> Reading:
        """Run forward and backward on the batch; gradients are left unscaled in the model."""
        factor = self.scale if scale is None else scale
        self.clear()
        recipe = replace(self.recipe, scaler=_fixed(self.recipe, factor))
        made = attempt(recipe, [self.batch], knobs)
        gradients = self.bench.gradients()
        if recipe.scaler is not None and gradients:
            torch._foreach_mul_(gradients, 1.0 / factor)
        return self.bench.sensors.read(1, made.scalars, {})

    def learn(self, reading: Reading, lr_scale: float = 1.0) -> None:
        """Commit the gradients that stand, clipped as the run does; schedule and `after_commit` are left out."""
        if (norm := reading.values["grad/norm"]) > self.clip_norm:
            clip(self.bench.gradients(), norm, self.clip_norm)
        commit(self.bench.parts.optimizers, Knobs(lr_scale=lr_scale))

    def named(self) -> dict[str, nn.Parameter]:
        """Return every trained parameter by name; those that only an optimizer holds are `loose.N`."""
        own = dict(self.model.named_parameters())
        return own | {f"loose.{number}": one for number, one in enumerate(self.bench.parts.loose())}


@contextmanager
def borrowed(guard: Guard, batch: object, *, draws_in_eval: bool) -> Iterator[Patient]:
    """Lend the run of a guard for an examination; afterwards it is bitwise as it was.

    Raises:
        ValueError: for a guard without `losses`.
    """
    bench = guard.bench()
    if bench is None:
        raise ValueError("examine() runs the loss itself, and this Guard got none; give losses=... to the Guard")
    with bench.borrowed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of schedules that step before optimizers, and what the run would tell anyway
        yield Patient(
            bench=bench,
            batch=copy.deepcopy(batch),  # a loss function may write into its batch
            saved=state.capture(bench.parts),
            rates=_highest_rates(bench),
            modes={module: module.training for module in bench.parts.model.modules()},
            clip_norm=guard.clip_norm,
            steps=guard.steps,
            draws_in_eval=draws_in_eval,
            scale=float(guard.scaler.get_scale()) if guard.scaler is not None else 1.0,
        )


def timed(patient: Patient) -> Patient:
    """Measure one pass, after finding a loss scale that it survives, as a dynamic one would."""
    patient.fresh()
    scale = patient.scale
    for _ in range(HALVINGS):  # the first pass is slow in any case: nothing is cached yet
        finite = math.isfinite(patient.backward(scale=scale).values["grad/norm"])
        if finite or patient.recipe.scaler is None:
            break
        scale /= 2
    patient.fresh()
    began = time.perf_counter()
    patient.backward(scale=scale)
    return replace(patient, scale=scale, seconds=time.perf_counter() - began)


def rates(bench: Bench) -> list[float]:
    """Return the learning rate of every parameter group now."""
    return [float(group["lr"]) for one in bench.parts.optimizers for group in one.param_groups]


def set_rates(bench: Bench, wanted: Sequence[float]) -> None:
    """Set the learning rate of every parameter group."""
    groups = [group for one in bench.parts.optimizers for group in one.param_groups]
    for group, rate in zip(groups, wanted, strict=True):
        group["lr"] = torch.full_like(group["lr"], rate) if isinstance(group["lr"], Tensor) else rate


def _highest_rates(bench: Bench) -> list[float]:
    before, highest = state.capture(bench.parts), rates(bench)
    for _ in range(AHEAD if bench.scheduler is not None else 0):
        try:
            bench.scheduler.step()
        except ValueError:  # a schedule with an end, as OneCycleLR has
            break
        highest = [max(pair) for pair in zip(highest, rates(bench), strict=True)]
    state.restore(bench.parts, before)
    return highest


def _fixed(recipe: Recipe, scale: float) -> Any:  # noqa: ANN401 (stands in for a GradScaler)
    return None if recipe.scaler is None else FixedScale(scale)
