"""Whether a training thread that has not been heard of for so long hangs, and what to look at then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FEW = 3  # steps without which nothing is usual yet
OUTLIVED = 2.0  # a silence that ended by itself is none to speak of until it lasts so many times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Silence is a hang above `least` seconds and `factor` usual steps.

    As long as nothing is usual, `first` times as long is waited: the first steps compile, and start the loader. By
    default that is half an hour, as in the rule StalledTrainingRule of SageMaker Debugger.
    """

    least: float = 300.0
    factor: float = 20.0
    first: float = 6.0

    @property
    def on(self) -> bool:
        """Say whether any silence is a hang."""
        return 0.0 < self.least < math.inf

    def limit(self, usual: float | None, outlived: float = 0.0) -> float:
        """Return the longest silence that is none; `outlived` is the longest that ended by itself, at this place."""
        most = self.first * self.least if usual is None else max(self.least, self.factor * usual)
        return max(most, OUTLIVED * outlived)


def usual(steps: Sequence[float]) -> float | None:
    """Return the usual time of a step, from the last of them: the median, which one slow validation does not move."""
    return median(steps) if len(steps) >= FEW else None


def look_at(*, inside: bool) -> str:
    """Advise what to look at, where the silence is inside `guard.step` or outside it."""
    if inside:
        return (
            "if it waits for other ranks, look which one is missing; if it waits for a lock or loops, mend that line; "
            "a killed run resumes from its last checkpoint"
        )
    return (
        "if it waits for the loader, num_workers=0 shows whether the workers have locked each other out; "
        "a validation that simply takes this long is told once"
    )
