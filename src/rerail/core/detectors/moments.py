"""Belief: the optimizer's second moment no longer fits the gradient."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """`stale`: the RMS of g / sqrt(v) is far below 1 for long; an old spike still brakes every step.

    `exploding`: g^2 / v passes `burst`, SPAM's threshold (Huang et al. 2025, 5000), while the RMS passes `rms`
    (StableAdamW, Wortsman et al. 2023, has spikes follow from 2.3 on), after `warmup` ticks, before which v is a mean
    of too few. A gradient that shrinks as the loss falls leaves v behind for a while, hence the patience and the low
    limit.
    """

    stale: float = 0.03
    burst: float = 5000.0
    rms: float = 5.0
    warmup: int = 50
    ticks: int = 300
    readings: int = 5
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `optimizer/rms` and `optimizer/largest`."""
        rms, largest = reading.values.get("optimizer/rms"), reading.values.get("optimizer/largest", 0.0)
        if rms is None:
            return memory, ()
        memory, due = hold(
            memory,
            reading.tick,
            {"optimizer/rms": 0.0 < rms < self.stale},
            Patience(ticks=self.ticks, readings=self.readings, again=self.again),
        )
        found = told("optimizer.stale", memory, due, reading)
        once = Patience(ticks=0, readings=1, again=self.again)
        burst = {"optimizer/largest": largest > self.burst and rms > self.rms and reading.tick > self.warmup}
        memory, due = hold(memory, reading.tick, burst, once)
        return memory, found + told("optimizer.exploding", memory, due, reading, rms=rms)
