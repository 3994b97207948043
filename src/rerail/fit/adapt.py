"""Weights of the losses, tried on forks of the run: what pays is told to the guard, and what does not is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from rerail.adapt import LEVEL, TRIED, pays, proposal
from rerail.fit.config import FitConfig
from rerail.fit.fork import fork
from rerail.fit.task import Parts, Task
from rerail.guard import Guard, Losses


class Adapt:
    """Every `adapt_every` steps, tries one weight on a fork of `adapt_steps` steps, beside a fork with its own weights.

    Components are compared by the gradient that each, weighted, brings to the model.
    """

    def __init__(self, task: Task, config: FitConfig, parts: Parts, guard: Guard) -> None:
        self.task, self.config, self.parts, self.guard = task, config, parts, guard
        self.last = guard.steps

    def look(self, in_force: Mapping[str, float]) -> None:
        """Try a weight where it is time to; `in_force` are the factors that the guard puts on weights now."""
        if not self.config.adapt_every or self.guard.steps - self.last < self.config.adapt_every:
            return
        self.last = self.guard.steps
        norms = self._norms(in_force)
        if (found := proposal(norms, self.parts.adaptable, self.parts.anchor)) is None:
            return
        name, moved = found
        if (checkpoint := self.guard.save()) is None:
            return  # nowhere to fork from
        weights = {**self.parts.weights, name: self.parts.weights[name] * LEVEL**moved}
        own, tried = (self._forked(checkpoint, one) for one in (self.parts.weights, weights))
        adopted = pays(tried, own)
        about = {"component": name, "moved": moved, "own": own, "tried": tried, "adopted": adopted, "gradients": norms}
        self.guard.note("a weight was tried on a fork", **about)
        if adopted:
            self.guard.observe({f"{TRIED}/{name}": float(moved)})

    def _norms(self, in_force: Mapping[str, float]) -> dict[str, float]:
        """The norm of each weighted component's gradient, on a held-out batch; the model is left as it is."""
        model, weights = self.parts.model, self.parts.weights
        was_training = model.training
        model.eval()
        with torch.random.fork_rng():
            named = Losses.of(self.parts.losses(next(iter(self.parts.held_out)))).components
        model.train(was_training)
        factors = {name: weights.get(name, 1.0) * in_force.get(name, 1.0) for name in named}
        return {name: factors[name] * _norm(loss, model) for name, loss in named.items() if loss.requires_grad}

    def _forked(self, checkpoint: Path, weights: Mapping[str, float]) -> float:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            parts = replace(self.task.build(), weights=weights)
            done = fork(self.task, parts, self.config, checkpoint, self.config.adapt_steps)
        return done.metrics.get(self.parts.target, float("nan"))


def _norm(loss: Tensor, model: nn.Module) -> float:
    own = [one for one in model.parameters() if one.requires_grad]
    gradients = torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True)
    return float(torch.stack([one.norm() for one in gradients if one is not None]).norm())
