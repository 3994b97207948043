"""Belief: the loss has come to rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

from rerail.core.finding import Finding
from rerail.core.parts import whole
from rerail.core.reading import Reading

STANDING = ("knob/loss/", "knob/lr_standing")  # knobs that detectors own for good


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyMemory:
    """The total loss of the last committed steps in a row, the step of the last, its knobs, and whether it was told."""

    losses: tuple[float, ...] = ()
    knobs: Mapping[str, float] = field(default_factory=dict)
    step: float = -1.0
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Over the last `window` steps the loss neither rises nor falls, nor strays, and nothing was done to the run.

    The fitted line changes by less than the share `slope` of the mean over the window, and the residuals' standard
    deviation is below the share `spread` of it. A step that was skipped, repeated or undone begins the window anew, and
    so does a knob that is turned. Under one that repairs nothing is at rest; the weight of a component and the level of
    the rate, which detectors own for good, may stand anywhere, as long as they stand.
    """

    window: int = 200
    slope: float = 0.05
    spread: float = 0.15

    def init(self) -> SteadyMemory:
        """Return empty memory."""
        return SteadyMemory()

    def update(self, memory: SteadyMemory, reading: Reading) -> tuple[SteadyMemory, tuple[Finding, ...]]:
        """Take a step's loss in."""
        step, loss = reading.values.get("step"), whole(reading)[1]
        if memory.told or step is None:
            return memory, ()
        knobs = reading.under("knob")
        left_alone = knobs == memory.knobs and all(name.startswith(STANDING) for name in knobs)
        undisturbed = step == memory.step + 1 and math.isfinite(loss) and left_alone
        losses = (*memory.losses, loss)[-self.window :] if undisturbed else ()
        if len(losses) < self.window or not self._rests(losses):
            return SteadyMemory(losses=losses, knobs=knobs, step=step), ()
        evidence = {"loss/total": fmean(losses), "steps": float(self.window)}
        found = Finding(code="loss.stable", signal="loss/total", evidence=evidence)
        return SteadyMemory(step=step, told=True), (found,)

    def _rests(self, losses: tuple[float, ...]) -> bool:
        size = abs(fmean(losses))
        steps = range(len(losses))
        middle, level = fmean(steps), fmean(losses)
        slope = sum((step - middle) * loss for step, loss in zip(steps, losses, strict=True))
        slope /= sum((step - middle) ** 2 for step in steps)
        off = (loss - level - slope * (step - middle) for step, loss in zip(steps, losses, strict=True))
        strays = math.sqrt(fmean(one * one for one in off))
        return abs(slope) * len(losses) < self.slope * size and strays < self.spread * size
