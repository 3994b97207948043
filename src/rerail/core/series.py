"""The accepted values of one signal, with the steps they belong to, and a robust baseline of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values, oldest first. After a rewind the values of the steps that were undone no longer count."""

    steps: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def before(self, step: float) -> Series:
        """Forget the values from `step` on, which is about to be run (again)."""
        if not self.steps or self.steps[-1] < step:
            return self
        keep = sum(one < step for one in self.steps)
        return Series(steps=self.steps[:keep], values=self.values[:keep])

    def add(self, step: float, value: float, most: int) -> Series:
        """Append a value, and keep the newest `most`."""
        return Series(steps=(*self.steps, step)[-most:], values=(*self.values, value)[-most:])


@dataclass(frozen=True, slots=True)
class Baseline:
    """The expected next value and the robust spread (sigma of a normal distribution) around the trend."""

    expected: float
    spread: float


def baseline(window: Sequence[float]) -> Baseline:
    """Fit a line through the medians of both halves of `window` (oldest first, at least 4 values) and extend it.

    The spread is the scaled median absolute deviation from that line (Rousseeuw and Croux 1993). A falling trend is
    not extended below the newest half's median, so that a curve that levels off raises no alarm.
    """
    half = len(window) // 2
    early, late = median(window[:half]), median(window[-half:])
    slope = (late - early) / (len(window) - half)
    centre = late - slope * (half - 1) / 2  # the line's value at the first index of the newest half
    first = len(window) - half
    strays = [abs(value - centre - slope * (index - first)) for index, value in enumerate(window)]
    return Baseline(max(centre + slope * half, late), MAD_TO_SIGMA * median(strays))
