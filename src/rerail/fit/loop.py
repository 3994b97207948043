"""The training loop under the guard: train, evaluate, show, save, stop well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch

from rerail.asked import Requests
from rerail.fit.adapt import Adapt
from rerail.fit.begin import Averaged, averages, guarded, prepare, total
from rerail.fit.best import Best
from rerail.fit.config import FitConfig
from rerail.fit.room import Room
from rerail.fit.stop import Stop
from rerail.fit.task import Parts, Task
from rerail.guard import Derailed, Guard, Listener, claim
from rerail.seam import UNCOUNTED

RESUME = "--resume goes on there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended, and its last held-out metrics."""

    reason: Literal["finished", "stopped", "halted"]
    steps: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


def train(
    task: Task,
    config: FitConfig,
    *,
    run: Path | None,
    resume: bool | Path = False,
    listeners: Sequence[Listener] = (),
    describe: Mapping[str, Any] | None = None,
    notes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Result:
    """Train a task to `config.steps` under the guard.

    Ctrl-C or SIGTERM saves a checkpoint and ends the run well. `describe` are settings of the task for the journal,
    `notes` go into it first of all, by their text.
    """
    claim(run, resume=resume is not False)  # before an hour of computing features
    parts = prepare(task, config)
    averaged = averages(parts, config)
    guard = guarded(parts, config, run=run, resume=resume, listeners=listeners, describe=describe, averaged=averaged)
    for text, data in (notes or {}).items():
        guard.note(text, **data)
    with Stop() as stop, _told(guard):
        result = _Loop(task, config, parts, guard, averaged).run(stop)
    guard.close(result.reason)
    return result


def train_unguarded(task: Task, config: FitConfig) -> Iterator[float]:
    """Train the same way without the guard; yield the total loss of every step (for comparison)."""
    parts = prepare(task, config)
    for batch in islice(iter(parts.data), config.steps):
        parts.optimizer.zero_grad(set_to_none=True)
        loss = total(parts, config, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parts.model.parameters(), config.clip_norm)
        parts.optimizer.step()
        parts.scheduler.step()
        yield float(loss.detach())


@contextmanager
def _told(guard: Guard) -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # whoever reads the journal of a run that died wants to know of what
        guard.note("broke off", error=f"{type(error).__name__}: {error}", step=guard.steps)
        if isinstance(error, Exception):  # who interrupts twice waits for nobody
            guard.close("")
        raise


class _Loop:
    def __init__(
        self, task: Task, config: FitConfig, parts: Parts, guard: Guard, averaged: Averaged | None = None
    ) -> None:
        self.task, self.config, self.parts, self.guard, self.averaged = task, config, parts, guard, averaged
        self.best = Best.of(
            guard.run,
            config.patience,
            config.least_gain,
            lambda error: guard.note("best weights not saved", error=error),
        )
        self.enough, self.room = self.best.enough, Room(guard, parts.undivided)
        self.adapt = Adapt(task, config, parts, guard)
        self.metrics: Mapping[str, float] = {}
        self.began = self.evaluated = guard.steps

    def run(self, stop: Stop) -> Result:
        requests = Requests(self.guard, over=lambda: bool(stop.asked))
        try:
            self._train(requests)
        except Derailed as error:
            return self._result("halted", str(error))
        if by := f"asked by {requests.by}" if requests.by else stop.asked:
            done = "saved" if requests.saved or requests.save() else "not saved, the journal says why,"
            return self._result("stopped", f"{by}: {done} at step {self.guard.steps}; {RESUME}")
        if self.enough:
            return self._ended_early()
        self._evaluate(last=True)
        self.guard.save()
        idle = self.guard.steps == self.began
        return self._result("finished", f"the run had its {self.began} steps already; ask for more" if idle else "")

    def _train(self, requests: Requests) -> None:
        batches = iter(self.parts.data)
        while self.guard.steps < self.config.steps and not self.enough and not requests.stop():
            step = self.room.step(list(islice(batches, self.config.accumulate)))
            self.adapt.look(step.verdict.knobs.weights)
            every = self.config.evaluate_every  # at multiples of it, so that a resumed run measures where another does
            due = self.guard.steps // every > self.evaluated // every
            if due and self.guard.steps < self.config.steps:
                self._evaluate(last=False)

    def _ended_early(self) -> Result:
        best = self.best
        best.restore(self.parts.model)
        if self.averaged:
            self.averaged.begin()
        about = {"step": best.step, self.parts.target: best.value, "waited": best.waited}
        self.guard.note("ended early: the best weights are back", **about)
        self._evaluate(last=True)
        self.guard.save()
        return self._result(
            "finished", f"no gain in {best.waited} evaluations: the weights of step {best.step} are back, and saved"
        )

    def _evaluate(self, *, last: bool) -> None:
        self.evaluated = self.guard.steps
        counted = self.evaluated % self.config.evaluate_every == 0  # no other look would be taken by a run that goes on
        model, held_out = self.parts.model, self.parts.held_out
        was_training = model.training
        # a look at the model must not change what training draws next
        with torch.random.fork_rng(), self.averaged.swapped() if self.averaged else nullcontext():
            self.metrics = self.task.evaluate(model, held_out)
            if counted and not self.enough:
                self.enough = self.best.look(self.metrics.get(self.parts.target, math.nan), self.guard.steps, model)
            self._show(last=last)
        model.train(was_training)
        told = {f"eval/{name}": value for name, value in self.metrics.items()}
        self.guard.observe(told if counted else {**told, UNCOUNTED: 1.0})

    def _show(self, *, last: bool) -> None:
        try:
            shown = self.task.figures(self.parts.model, self.parts.held_out, last=last)
        except ValueError as error:  # a picture that cannot be drawn costs no training
            self.guard.note("figures not made", error=str(error))
            return
        for name, thing in shown.items():
            self.guard.show(name, thing)

    def _result(self, reason: Literal["finished", "stopped", "halted"], message: str) -> Result:
        return Result(reason=reason, steps=self.guard.steps, metrics=self.metrics, message=message)
