"""Belief: a loss is exactly zero, which a loss of real data is not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, Streak, hold, told
from rerail.core.parts import components, whole
from rerail.core.reading import Reading

_ALL = "loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """All losses are exactly zero for `ticks`, or one of several that was on is for `part` ticks.

    An empty mask, a loss times zero or a target that is the input looks like this. One component may rightly be
    switched off or satisfied (a hinge), so it is given much longer, and one that was never on is left alone.
    """

    ticks: int = 50
    part: int = 1000
    readings: int = 50
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge all losses together, and each of several once it has been on."""
        parts = components(reading)
        name, value = whole(reading)
        if not math.isfinite(value):
            return memory, ()
        every = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        memory, due = hold(memory, reading.tick, {_ALL: not any(parts.values())}, every)
        found = tuple(Finding(code="loss.zero", signal=name, evidence={name: value}) for _ in due)
        if len(parts) == 1:
            return memory, found
        began = {one: Streak() for one, value in parts.items() if value != 0.0 and one not in memory.streaks}
        memory = Lasting(streaks={**memory.streaks, **began}) if began else memory
        single = {one: value == 0.0 for one, value in parts.items() if one in memory.streaks}
        each = Patience(ticks=self.part, readings=self.readings, again=self.again)
        memory, due = hold(memory, reading.tick, single, each)
        return memory, found + told("loss.zero", memory, due, reading)
