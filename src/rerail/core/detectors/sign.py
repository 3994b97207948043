"""Belief: a loss that was always positive has changed its sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from rerail.core.finding import Finding
from rerail.core.parts import components
from rerail.core.reading import Reading
from rerail.core.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class SignMemory:
    """The last positive values of each loss, and how many negative ones have followed."""

    positive: Mapping[str, Series] = field(default_factory=dict)
    flipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A loss falls from its level, positive for `warmup` steps, to below minus `share` of it, `persistence` times.

    A minus that slipped into a loss makes it fall for ever, which looks like learning. A loss that may become negative
    (a likelihood of real numbers) comes to zero by its usual steps: only a fall of `leap` times the median step counts.
    """

    window: int = 32
    warmup: int = 20
    few: int = 5
    share: float = 0.5
    leap: float = 2.0
    persistence: int = 3

    def init(self) -> SignMemory:
        """Return empty memory."""
        return SignMemory()

    def update(self, memory: SignMemory, reading: Reading) -> tuple[SignMemory, tuple[Finding, ...]]:
        """Judge every component that has a weight, or the total where it is alone."""
        step = reading.values.get("step", float(reading.tick))
        findings: list[Finding] = []
        for name, value in components(reading).items():
            if not reading.off(name):
                memory, found = self._judge(memory, name, step, value)
                findings += found
        return memory, tuple(findings)

    def wary(self, memory: SignMemory) -> bool:
        """Say whether the last value of any loss was flipped."""
        return any(memory.flipped.values())

    def _judge(self, memory: SignMemory, name: str, step: float, value: float) -> tuple[SignMemory, list[Finding]]:
        known = memory.positive.get(name, Series()).before(step)
        usual, step_size = self._usual(known)
        if not usual or value > -self.share * usual or usual - value < self.leap * step_size:
            kept = known.add(step, value, self.window) if value > 0 else Series()
            positive = {**memory.positive, name: kept}
            return SignMemory(positive=positive, flipped={**memory.flipped, name: 0}), []
        times = memory.flipped.get(name, 0) + 1
        memory = replace(memory, flipped={**memory.flipped, name: times})
        if times % self.persistence:
            return memory, []
        evidence = {name: value, "usual": usual, "ticks": float(times)}
        return memory, [Finding(code="loss.sign", signal=name, evidence=evidence)]

    def _usual(self, known: Series) -> tuple[float, float]:
        """Return the level that a flip is measured by, 0 where there is none, and the median step."""
        if len(known.values) < self.warmup:
            return 0.0, 0.0
        steps = [abs(after - before) for before, after in pairwise(known.values[-2 * self.few :])]
        return median(known.values[-self.few :]), median(steps)
