"""Belief: the attention needs more guidance than it has, or less."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, weight_ladder

CODE = "alignment.guide"
LEVELS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 50.0)  # times the run's own weight
OWN = LEVELS.index(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideMemory:
    """How many levels the weight stands above (or below) the run's own."""

    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Owns the weight of guided attention: says at a held-out evaluation that it should stand on another level.

    Critical mode: below `critical` of corrected diagonality, teacher-forced, it rises by a level, up to 50 times; past
    `enough` it comes down again. Once the text is read free-running (`aligned`) it fades, down to nothing, and returns
    where the free-running diagonality falls below `enough`. Neither a number that is not finite nor a tick without a
    counted evaluation moves it.
    """

    forced: str = "eval/diagonality/forced"
    free: str = "eval/diagonality/free"
    critical: float = 0.2
    enough: float = 0.5
    aligned: float = 0.7

    def init(self) -> GuideMemory:
        """Return empty memory."""
        return GuideMemory()

    def update(self, memory: GuideMemory, reading: Reading) -> tuple[GuideMemory, tuple[Finding, ...]]:
        """Judge an evaluation."""
        forced, free = reading.values.get(self.forced), reading.values.get(self.free)
        if forced is None or free is None or not reading.counted:
            return memory, ()
        level = memory.level + self._moved(memory.level, forced, free)
        level = min(max(level, -OWN), len(LEVELS) - 1 - OWN)
        if level == memory.level:
            return memory, ()
        evidence = {self.forced: forced, self.free: free, "rung": float(level + OWN)}
        return GuideMemory(level=level), (Finding(code=CODE, signal=self.forced, evidence=evidence),)

    def _moved(self, level: int, forced: float, free: float) -> int:
        if forced < self.critical:
            return 1
        if level > 0:
            return -1 if forced > self.enough else 0
        if free >= self.aligned:
            return -1
        return 1 if level < 0 and free < self.enough else 0


def guide_ladder(component: str) -> Ladder:
    """Return the rungs for the weight of `component`, a level each; one holds until the next is named."""
    return weight_ladder(component, LEVELS)
