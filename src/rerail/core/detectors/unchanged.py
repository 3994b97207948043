"""Belief: an update leaves weights exactly as they were."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """Trained tensors do not move at all: every one of them at `readings` looks, or `share` of them.

    A learning rate of zero, an update below the resolution of half-precision weights, or weights that are put back.
    """

    share: float = 0.5
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `update/still` beside `update/tensors`."""
        still, of = reading.values.get("update/still"), reading.values.get("update/tensors", 0.0)
        if still is None or not of:
            return memory, ()
        memory, due = hold(
            memory,
            reading.tick,
            {"update/still": still >= self.share * of},
            Patience(ticks=self.ticks, readings=self.readings, again=self.again),
        )
        return memory, told("weights.unchanged", memory, due, reading, of=of)
