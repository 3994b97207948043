"""Belief: a run that should have come to a certain stage by now has, or has not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`signal` should be at least `least` by step `by`."""

    signal: str
    least: float
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesMemory:
    """How many stages were reached, and how many were told to be late, or reached before that."""

    reached: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Stages in their order: each is told once when it is reached, once when its step has passed without it.

    A stage is reached when its signal is at `least` and every stage before it was; the last one makes the run `ready`.
    Judged is where the signal was measured.
    """

    stages: tuple[Stage, ...] = ()

    def init(self) -> StagesMemory:
        """Return empty memory."""
        return StagesMemory()

    def update(self, memory: StagesMemory, reading: Reading) -> tuple[StagesMemory, tuple[Finding, ...]]:
        """Judge an evaluation."""
        step, found = reading.values.get("step", 0.0), []
        reached, late = memory.reached, memory.late
        while reached < len(self.stages) and self._there(self.stages[reached], reading):
            last = reached == len(self.stages) - 1
            found.append(_told("stage.ready" if last else "stage.reached", self.stages[reached], reading))
            reached += 1
        late = max(late, reached)
        while late < len(self.stages) and self._late(self.stages[late], reading, step):
            found.append(_told("stage.missed", self.stages[late], reading))
            late += 1
        return StagesMemory(reached=reached, late=late), tuple(found)

    def _late(self, stage: Stage, reading: Reading, step: float) -> bool:
        return stage.signal in reading.values and step > stage.by

    def _there(self, stage: Stage, reading: Reading) -> bool:
        value = reading.values.get(stage.signal, math.nan)
        return value >= stage.least


def _told(code: str, stage: Stage, reading: Reading) -> Finding:
    seen = {stage.signal: reading.values[stage.signal], "wanted": stage.least, "by step": float(stage.by)}
    return Finding(code=code, signal=stage.signal, evidence=seen)
