"""Belief: the attention needs more guidance than it has, or less."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.knobs import Knobs
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, Move, Remedy

CODE = "alignment.guide"
LOWER, HIGHER = (0.3, 0.1, 0.0), (3.0, 10.0, 30.0, 50.0)  # times the run's own weight, from level to level


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideMemory:
    """How many levels the weight stands above (or below) the run's own."""

    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Owns the weight of guided attention: says at each held-out evaluation on which level it should stand.

    Critical mode: below `critical` of corrected diagonality, teacher-forced, it rises by a level, up to 50 times; past
    `enough` it comes down again. Once the text is read free-running (`aligned`) it fades, down to nothing, and returns
    where the free-running diagonality falls below `enough`. Neither a number that is not finite nor a tick without an
    evaluation moves it.
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
        if forced is None or free is None:
            return memory, ()
        level = min(max(memory.level + self._moved(memory.level, forced, free), -len(LOWER)), len(HIGHER))
        if not level:
            return GuideMemory(), ()
        evidence = {self.forced: forced, self.free: free, "rung": float(_rung(level))}
        return GuideMemory(level=level), (Finding(code=CODE, signal=self.forced, evidence=evidence),)

    def _moved(self, level: int, forced: float, free: float) -> int:
        if forced < self.critical:
            return 1
        if level > 0:
            return -1 if forced > self.enough else 0
        if free >= self.aligned:
            return -1
        return 1 if level < 0 and free < self.enough else 0


def _rung(level: int) -> int:
    """Return the place of a level among the rungs: first the lower ones, then the higher."""
    return -level - 1 if level < 0 else len(LOWER) + level - 1


def guide_ladder(component: str, every: int) -> Ladder:
    """Return the rungs for the weight of `component`, which is judged anew every `every` steps.

    A dose holds until the next evaluation and then eases over as long again, so a level comes down by and by.
    """
    doses = [Remedy(move=Move.COMMIT, knobs=Knobs(weights={component: one}), hold=every, ramp=every) for one in HIGHER]
    fades = [Remedy(move=Move.COMMIT, knobs=Knobs(weights={component: one}), hold=every) for one in LOWER]
    return Ladder(rungs=(*fades, *doses), window=0, by="rung")
