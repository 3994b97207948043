"""The range that healthy readings stay in: what a replay is judged against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.series import MAD_TO_SIGMA

SIGMAS, RISE, GROWTH = 8.0, 1.0, 10.0  # spreads and share above the median of a loss; factor above that of the gradient
FEWEST = 5  # readings that a band is drawn from; with fewer, finite is healthy


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The highest healthy value of each signal, its usual one, and the lowest of a loss that changed its sign."""

    highest: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    lowest: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(readings: Sequence[Reading], findings: Sequence[Finding] = ()) -> Band:
        """Draw the band from healthy readings; what a finding speaks of is above it."""
        lost = {one.signal: one.evidence["usual"] for one in findings if one.code == "gradient.lost"}
        if len(readings) < FEWEST:
            return Band(highest=lost)
        names = [name for name in readings[-1].values if judged(name) and not readings[-1].off(name)]
        series = {name: [one.felt(name) for one in readings if name in one.values] for name in names}
        usual = {name: median(values) for name, values in series.items()}
        highest = {name: _highest(name, values) for name, values in series.items()}
        for found in findings:
            value = found.evidence.get(found.signal, math.nan)
            if found.signal in highest and usual[found.signal] < value < math.inf:
                between = (value + usual[found.signal]) / 2
                highest[found.signal] = min(highest[found.signal], between)
        lowest = {found.signal: 0.0 for found in findings if found.code == "loss.sign"}
        return Band(highest=highest | lost, usual=usual, lowest=lowest)

    def holds(self, reading: Reading) -> bool:
        """Say whether every loss and the gradient norm are finite and not above the band."""
        told = {name: reading.felt(name) for name in reading.values if judged(name) or name in self.highest}
        return all(
            math.isfinite(value) and self.lowest.get(name, -math.inf) <= value <= self.highest.get(name, math.inf)
            for name, value in told.items()
        )


def finite(reading: Reading) -> bool:
    """Say whether all that a step is judged by is finite: losses, gradient, weights. Signals may be anything."""
    told = (value for name, value in reading.values.items() if judged(name) or name == "loss/total")
    return all(map(math.isfinite, told))


def judged(name: str) -> bool:
    """Say whether a band has this signal: each component, the gradient norm. The total moves when a weight does."""
    return (name.startswith("loss/") and name != "loss/total") or name == "grad/norm" or name.startswith("weight/norm")


def _highest(name: str, values: Sequence[float]) -> float:
    usual = median(values)
    if name.startswith(("grad/", "weight/")):
        return GROWTH * max(values)
    spread = MAD_TO_SIGMA * median(abs(value - usual) for value in values)
    return max(usual + SIGMAS * spread, usual + RISE * abs(usual), *values)
