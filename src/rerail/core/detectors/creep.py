"""Belief: memory leaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class CreepMemory:
    """The latest values of each memory with their ticks, how many were skipped, and when it was told."""

    series: Mapping[str, Series] = field(default_factory=dict)
    skipped: int = 0
    told: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Creep:
    """Host or device memory grows all along `window` readings, by `share` of itself and `least` bytes.

    Growing all along: no fall is as deep as `fall` of the growth (a collector's saw), half the readings rise, and the
    second half grows at least half as much as the first; caches and snapshots fill up fast at first and then stop. The
    first `skip` readings are the setting up.
    """

    window: int = 24
    skip: int = 4
    share: float = 0.1
    least: float = 64.0 * 2**20
    fall: float = 0.25
    again: int = 10_000

    def init(self) -> CreepMemory:
        """Return empty memory."""
        return CreepMemory()

    def update(self, memory: CreepMemory, reading: Reading) -> tuple[CreepMemory, tuple[Finding, ...]]:
        """Judge `memory/host` and `memory/device`."""
        if not reading.dear:
            return memory, ()
        now = reading.under("memory")
        if not now:
            return memory, ()
        if memory.skipped < self.skip:
            return CreepMemory(series=memory.series, skipped=memory.skipped + 1, told=memory.told), ()
        series, told, found = dict(memory.series), dict(memory.told), []
        for name, value in now.items():
            one = series[name] = series.get(name, Series()).add(float(reading.tick), value, self.window)
            waits = name in told and reading.tick - told[name] < self.again
            if not waits and self._creeps(one.values):
                told[name] = float(reading.tick)
                evidence = {name: value, "before": one.values[0], "lasted": one.steps[-1] - one.steps[0]}
                found.append(Finding(code="memory.creep", signal=name, evidence=evidence))
        return CreepMemory(series=series, skipped=memory.skipped, told=told), tuple(found)

    def _creeps(self, values: tuple[float, ...]) -> bool:
        if len(values) < self.window:
            return False
        middle, grown = values[len(values) // 2], values[-1] - values[0]
        deepest = max(top - value for top, value in zip(accumulate(values, max), values, strict=True))
        moving = sum(b > a for a, b in pairwise(values)) >= len(values) // 2
        lasting = values[-1] - middle >= 0.5 * (middle - values[0])
        return deepest <= self.fall * grown and moving and lasting and grown > max(self.share * values[0], self.least)
