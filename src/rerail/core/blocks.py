"""A long signal in short: the median and the spread of every so many values, so that a glance each tick is cheap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rerail.core.series import MAD_TO_SIGMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Medians and robust spreads of full blocks, oldest first; `open` is the block that is being filled.

    `first` is the median of the first block of all, which the window may have left behind.
    """

    open: tuple[float, ...] = ()
    medians: tuple[float, ...] = ()
    spreads: tuple[float, ...] = ()
    first: float = math.nan
    count: int = 0

    def add(self, value: float, size: int, most: int) -> Blocks:
        """Take a value in; non-finite ones stay out. A block is closed at `size` values, the newest `most` are kept."""
        if not math.isfinite(value):
            return self
        filling = (*self.open, value)
        if len(filling) < size:
            return Blocks(open=filling, medians=self.medians, spreads=self.spreads, first=self.first, count=self.count)
        centre = median(filling)
        return Blocks(
            medians=(*self.medians, centre)[-most:],
            spreads=(*self.spreads, spread(filling))[-most:],
            first=self.first if self.count else centre,
            count=self.count + 1,
        )

    @property
    def closed(self) -> bool:
        """Say whether the last value closed a block: the moment to judge."""
        return not self.open and self.count > 0


def spread(values: Sequence[float]) -> float:
    """Return the scaled median absolute deviation from a line through both halves' medians; 4 values or more.

    Without the line a falling loss would look noisy (Rousseeuw and Croux 1993 for the deviation).
    """
    half = len(values) // 2
    early, late = median(values[:half]), median(values[-half:])
    slope = (late - early) / (len(values) - half)
    middle = (len(values) - 1) / 2
    flat = [value - slope * (index - middle) for index, value in enumerate(values)]
    centre = median(flat)
    return MAD_TO_SIGMA * median(abs(value - centre) for value in flat)
