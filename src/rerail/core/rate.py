"""How often something happens, counted, with the exact interval of a Poisson count."""

from __future__ import annotations

import math
from dataclasses import dataclass

PER = 10_000  # ticks
TAIL = 0.025  # at each end of a two-sided 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`count` events in `ticks` ticks. The interval is Garwood's (1936), exact, two-sided, 95 %."""

    count: int
    ticks: int

    @property
    def rate(self) -> float:
        """Events per 10,000 ticks; NaN where nothing was watched."""
        return self._per(self.count)

    @property
    def low(self) -> float:
        """The lower end of the rate's interval."""
        return self._per(lower(self.count))

    @property
    def high(self) -> float:
        """The upper end of the rate's interval."""
        return self._per(upper(self.count))

    def _per(self, events: float) -> float:
        return PER * events / self.ticks if self.ticks else math.nan


def upper(count: int) -> float:
    """Return the largest Poisson mean that `count` events are compatible with: where P(X <= count) is 0.025."""
    return _mean(count, TAIL)


def lower(count: int) -> float:
    """Return the smallest Poisson mean that `count` events are compatible with: where P(X >= count) is 0.025."""
    return _mean(count - 1, 1.0 - TAIL) if count else 0.0


def _mean(count: int, share: float) -> float:
    """Return the mean at which P(X <= count) is `share`; the larger the mean, the smaller that is."""
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(100):
        middle = (low + high) / 2
        below = sum(math.exp(-middle + k * math.log(middle) - math.lgamma(k + 1)) for k in range(count + 1))
        low, high = (middle, high) if below > share else (low, middle)
    return high
