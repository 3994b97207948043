"""Belief: the inputs hold nothing."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, Streak, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """At least `share` of an input's rows are one number throughout, at `readings` looks.

    A mask may be so; the input is judged where it is the only one of its kind, or once held more.
    """

    share: float = 0.5
    before: float = 0.1
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `input/constant/N`."""
        if not reading.dear:
            return memory, ()
        found = reading.under("input/constant")
        known = {name: Streak() for name, value in found.items() if value < self.before or len(found) == 1}
        memory = Lasting(streaks=known | dict(memory.streaks)) if known else memory
        holds = {name: value >= self.share for name, value in found.items() if name in memory.streaks}
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, told("input.constant", memory, due, reading)
