"""Belief: activations or inputs are no longer of the size they had."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMemory:
    """The first values of each signal, and how long it has been away from them."""

    first: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The size of a module's output is `factor` times what it was in its first `early` readings, or that much below.

    Layers that start near zero (a zero-initialised head) grow rightly, so a start below `least` is not judged, and the
    factor is two orders of magnitude.
    """

    early: int = 4
    factor: float = 100.0
    least: float = 1e-2
    ticks: int = 150
    readings: int = 4
    again: int = 10_000

    def init(self) -> DriftMemory:
        """Return empty memory."""
        return DriftMemory()

    def update(self, memory: DriftMemory, reading: Reading) -> tuple[DriftMemory, tuple[Finding, ...]]:
        """Judge `act/rms/MODULE`."""
        if not reading.dear:
            return memory, ()
        sizes = reading.under("act/rms")
        if not sizes:
            return memory, ()
        first = kept(memory.first, sizes, self.early)
        usual = {name: median(first[name]) for name in sizes if len(first[name]) == self.early}
        holds = {name: self._away(sizes[name], one) for name, one in usual.items()}
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, holds, patience)
        found = tuple(
            Finding(code="activation.drift", signal=name, evidence={name: sizes[name], "at first": usual[name]})
            for name in due
        )
        return DriftMemory(first=first, lasting=lasting), found

    def _away(self, size: float, usual: float) -> bool:
        far = size <= 0.0 or abs(math.log(size / usual)) > math.log(self.factor) if usual > 0 else False
        return usual >= self.least and far


def kept(
    first: Mapping[str, tuple[float, ...]], values: Mapping[str, float], early: int
) -> dict[str, tuple[float, ...]]:
    """Add each value to the first ones of its signal, until there are `early`."""
    added = {name: (*first.get(name, ()), value)[:early] for name, value in values.items()}
    return {**first, **added}
