"""Belief: held-out, the run has come to rest at this learning rate, and a lower one would go on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rerail.core.finding import Finding
from rerail.core.knobs import NEUTRAL, Knobs
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, owned_ladder

CODE = "rate.lowered"
LEAST = 0.01  # share of the schedule's rate that is never gone below
MILDEST = 0.95  # factor; of milder ones a ladder would have thousands of rungs


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredMemory:
    """The best value so far, the evaluations without a gain since then or since the last cut, and the cuts made.

    `step` is that of the last evaluation that was counted.
    """

    best: float = math.inf
    waited: int = 0
    cuts: int = 0
    step: float = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """Multiplies the schedule's rate by `factor` after `patience` held-out evaluations without a gain of `gain`.

    The schedule goes on underneath, so that both hold. An evaluation that is not finite is no gain. What a run that has
    gone back to a checkpoint measures again counts once, and a look that is not `counted` does not.
    """

    signal: str
    patience: int
    gain: float = 0.0
    factor: float = 0.7

    def init(self) -> LoweredMemory:
        """Return empty memory."""
        return LoweredMemory()

    def update(self, memory: LoweredMemory, reading: Reading) -> tuple[LoweredMemory, tuple[Finding, ...]]:
        """Judge an evaluation."""
        value, step = reading.values.get(self.signal), reading.values.get("step", math.inf)
        if value is None or not reading.counted or step <= memory.step < math.inf:
            return memory, ()
        if value < memory.best - (self.gain if math.isfinite(memory.best) else 0.0):
            return LoweredMemory(best=value, cuts=memory.cuts, step=step), ()
        waited = memory.waited + 1
        if waited < self.patience or memory.cuts + 1 >= len(levels(self.factor)):
            return replace(memory, waited=waited, step=step), ()
        cuts = memory.cuts + 1
        evidence = {self.signal: value, "best": memory.best, "rung": float(cuts)}
        found = Finding(code=CODE, signal=self.signal, evidence=evidence)
        return LoweredMemory(best=memory.best, cuts=cuts, step=step), (found,)


def levels(factor: float) -> tuple[float, ...]:
    """Return the shares of the rate after no cut, one, two, ..., down to the last that is at least `LEAST`."""
    return tuple(factor**cuts for cuts in range(1 + math.floor(math.log(LEAST) / math.log(factor) + 1e-9)))


def lowered_ladder(factor: float) -> Ladder:
    """Return the rungs for the rate; one holds until the next is named."""
    return owned_ladder(NEUTRAL if level == 1.0 else Knobs(lr_standing=level) for level in levels(factor))
