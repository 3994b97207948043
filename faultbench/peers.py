"""What others do about the same failures, in a few lines each, on the same runs: nothing, skipping, rolling back, chance.

Each is its own loop over a run's batches: forward, backward, clip, and an update that the peer may refuse.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from faultbench.case import Batch, Run
from rerail.act.state import Parts, capture, restore
from rerail.sense.losses import Losses

ROLL_BACK_EVERY = 10  # steps between the snapshots that the rollback returns to
SPIKE = 10.0  # times the median loss of the last steps, at which the rollback and the random remedy act


@dataclass(slots=True)
class Loop:
    """A run on its way. `rate` multiplies the learning rate, `wasted` counts updates refused or undone."""

    run: Run
    rate: float = 1.0
    wasted: int = 0
    recent: list[float] = field(default_factory=list)

    def gradient(self, batch: Batch) -> float:
        """Run forward and backward; return the total loss."""
        self.run.optimizer.zero_grad(set_to_none=True)
        precision = self.run.precision
        with torch.autocast("cpu", dtype=precision or torch.bfloat16, enabled=precision is not None):
            total = Losses.of(self.run.losses(batch)).total(self.run.weights)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.run.model.parameters(), self.run.clip_norm)
        return float(total.detach())

    def update(self) -> None:
        """Apply the update, at `rate` times the learning rate."""
        groups = self.run.optimizer.param_groups
        rates = [group["lr"] for group in groups]
        for group in groups:
            group["lr"] *= self.rate
        self.run.optimizer.step()
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        if self.run.scheduler is not None:
            self.run.scheduler.step()
        if self.run.after_commit is not None:
            self.run.after_commit()

    def bad(self, total: float, *, spikes: bool) -> bool:
        """Say whether the loss or a gradient is not finite, or (with `spikes`) the loss far above its median."""
        if not math.isfinite(total) or not all(map(_finite, self.gradients())):
            return True
        usual = sorted(self.recent)[len(self.recent) // 2] if len(self.recent) > 5 else math.inf
        if spikes and total > SPIKE * abs(usual):
            return True
        self.recent = [*self.recent, total][-20:]
        return False

    def gradients(self) -> list[Tensor]:
        """Return the gradients that stand in the model."""
        return [one.grad for one in self.run.model.parameters() if one.grad is not None]


def nothing(run: Run) -> int:
    """Train on, whatever happens; return the steps wasted."""
    loop = Loop(run)
    for batch in run.batches:
        loop.gradient(batch)
        loop.update()
    return 0


def skip_nan(run: Run) -> int:
    """Skip the update where the loss or a gradient is not finite (what loss-scaling loops and many trainers do)."""
    loop = Loop(run)
    for batch in run.batches:
        if loop.bad(loop.gradient(batch), spikes=False):
            loop.wasted += 1
        else:
            loop.update()
    return loop.wasted


def roll_back(run: Run) -> int:
    """Go back to the last snapshot and halve the learning rate, where the loss is not finite or spikes."""
    loop = Loop(run)
    parts = _parts(run)
    saved, since = capture(parts), 0
    for batch in run.batches:
        if loop.bad(loop.gradient(batch), spikes=True):
            restore(parts, saved)
            loop.rate *= 0.5
            loop.wasted += since + 1
            since = 0
            continue
        loop.update()
        since += 1
        if since == ROLL_BACK_EVERY:
            saved, since = capture(parts), 0
    return loop.wasted


def at_random(run: Run, seed: int = 0) -> int:
    """Take one of the remedies by chance, where the loss is not finite or spikes (after Kim et al. 2023)."""
    loop, dice = Loop(run), random.Random(seed)  # noqa: S311 (dice, no secret)
    parts = _parts(run)
    saved, since = capture(parts), 0
    for batch in run.batches:
        if loop.bad(loop.gradient(batch), spikes=True):
            remedy = dice.choice(("skip", "back", "slower", "fresh", "fp32"))
            loop.wasted += 1
            if remedy in {"back", "slower"}:
                restore(parts, saved)
                loop.wasted += since
                since = 0
            if remedy == "slower":
                loop.rate *= 0.1
            if remedy == "fresh":
                run.optimizer.state.clear()
            if remedy == "fp32":
                loop.run = run = _in_full(run)
            continue
        loop.update()
        since += 1
        if since == ROLL_BACK_EVERY:
            saved, since = capture(parts), 0
    return loop.wasted


PEERS: dict[str, Callable[[Run], int]] = {
    "nothing": nothing,
    "skip on NaN": skip_nan,
    "rollback, LR x0.5": roll_back,
    "random remedy": at_random,
}


def _parts(run: Run) -> Parts:
    others: list[Any] = [run.scheduler] if run.scheduler is not None else []
    return Parts(model=run.model, optimizers=[run.optimizer], others=others)


def _in_full(run: Run) -> Run:
    fields = {name: getattr(run, name) for name in run.__dataclass_fields__}
    return Run(**{**fields, "precision": None})


def _finite(gradient: Tensor) -> bool:
    return bool(torch.isfinite(gradient).all())
