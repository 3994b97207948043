"""Weights of the losses, tried on forks of the run: what pays is told to the guard, and what does not is dropped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from rerail.adapt import LEVEL, LEVELS, TRIED, pays, proposal
from rerail.fit.begin import placed
from rerail.fit.config import FitConfig
from rerail.fit.fork import fork
from rerail.fit.task import Parts, Task
from rerail.guard import Guard, Losses


class Adapt:
    """Every `adapt_every` steps, tries one weight on a fork of `adapt_steps` steps, beside a fork with its own weights.

    Components are compared by the gradient that each, weighted, brings to the model. A move that did not pay is not
    tried again until another has paid; where none is left to try, that is noted.
    """

    def __init__(self, task: Task, config: FitConfig, parts: Parts, guard: Guard) -> None:
        self.task, self.config, self.parts, self.guard = task, replace(config, num_workers=0), parts, guard
        self.last = guard.steps
        self.failed: set[tuple[str, int]] = set()

    def look(self, in_force: Mapping[str, float]) -> None:
        """Try a weight where it is time to; `in_force` are the factors that the guard puts on weights now."""
        every, steps = self.config.adapt_every, self.guard.steps
        if not every or steps // every <= self.last // every:
            return
        self.last = steps
        try:
            self._try(in_force)
        except (OSError, torch.OutOfMemoryError) as error:
            self.guard.note("a weight could not be tried on a fork", error=str(error).partition("\n")[0])

    def _try(self, in_force: Mapping[str, float]) -> None:
        norms = self._norms(in_force)
        bounds = {
            (name, moved)
            for name in self.parts.adaptable
            for moved in (1, -1)
            if not min(LEVELS) / 1.01 < in_force.get(name, 1.0) * LEVEL**moved < max(LEVELS) * 1.01
        }
        if (found := proposal(norms, self.parts.adaptable, self.parts.anchor, self.failed | bounds)) is None:
            self.guard.note("no weight is left to be tried on a fork", gradients=norms, failed=sorted(self.failed))
            return
        if (checkpoint := self.guard.save()) is None:
            return  # nowhere to fork from
        name, moved = found
        weights = {**self.parts.weights, name: self.parts.weights[name] * LEVEL**moved}
        own, tried = (self._forked(checkpoint, one) for one in (self.parts.weights, weights))
        adopted = pays(tried, own)
        about = {"component": name, "moved": moved, "own": own, "tried": tried, "adopted": adopted, "gradients": norms}
        self.guard.note("a weight was tried on a fork", **about)
        if adopted:
            self.failed.clear()
            self.guard.observe({f"{TRIED}/{name}": float(moved)})
        else:
            self.failed.add(found)

    def _norms(self, in_force: Mapping[str, float]) -> dict[str, float]:
        """The norm of each weighted component's gradient, on a held-out batch; the model is left as it is."""
        model, weights = self.parts.model, self.parts.weights
        was_training = model.training
        model.eval()
        try:
            names = (*self.parts.adaptable, self.parts.anchor)
            norms = {name: self._norm(name) for name in names}
        finally:
            model.train(was_training)
        return {name: norm * weights.get(name, 1.0) * in_force.get(name, 1.0) for name, norm in norms.items()}

    def _norm(self, name: str) -> float:
        """A pass for each component: no graph is kept, so that nothing is held for long."""
        model: nn.Module = self.parts.model
        with torch.random.fork_rng():
            loss = Losses.of(self.parts.losses(next(iter(self.parts.held_out)))).components[name]
        own = [one for one in model.parameters() if one.requires_grad]
        gradients = torch.autograd.grad(loss, own, allow_unused=True)
        return math.hypot(*(float(one.norm()) for one in gradients if one is not None))

    def _forked(self, checkpoint: Path, weights: Mapping[str, float]) -> float:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            parts = replace(placed(self.task.build(), self.config), weights=weights)
            done = fork(self.task, parts, self.config, checkpoint, self.config.adapt_steps)
        return done.metrics.get(self.parts.target, math.nan)
