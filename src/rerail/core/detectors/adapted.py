"""Belief: another weight of a loss, tried on a fork of the run, pays."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, weight_ladder

CODES = {"kl": "weight.kl", "stop": "weight.stop"}  # by component
STEP = 2.0**0.5
LEVELS = tuple(STEP**power for power in (-2, -1, 0, 1, 2))  # times the run's own weight: from a half to twice
OWN = LEVELS.index(1.0)
TRIED = "adapt"  # signals `adapt/kl`: 1 where a level more was shown to pay, -1 where a level less was


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedMemory:
    """How many levels the weight stands above (or below) the run's own."""

    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """Owns the weight of one component: moves it by a level where a trial has shown that this pays, within bounds."""

    component: str

    def init(self) -> AdaptedMemory:
        """Return empty memory."""
        return AdaptedMemory()

    def update(self, memory: AdaptedMemory, reading: Reading) -> tuple[AdaptedMemory, tuple[Finding, ...]]:
        """Take the result of a trial."""
        signal = f"{TRIED}/{self.component}"
        moved = reading.values.get(signal)
        if moved not in (-1.0, 1.0):
            return memory, ()
        level = min(max(memory.level + int(moved), -OWN), len(LEVELS) - 1 - OWN)
        if level == memory.level:
            return memory, ()
        evidence = {signal: moved, "rung": float(level + OWN)}
        found = Finding(code=CODES[self.component], signal=signal, evidence=evidence)
        return AdaptedMemory(level=level), (found,)


def adapted_ladder(component: str) -> Ladder:
    """Return the rungs for the weight of `component`, a level each; one holds until the next is named."""
    return weight_ladder(component, LEVELS)
