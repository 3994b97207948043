"""Belief: numbers that are not finite are replaced before anybody sees them."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """At `readings` looks in a row a line of the loss function has put other numbers in the place of NaN.

    A NaN that is replaced looks like a healthy run, and what stood there learns nothing. It may be meant (rows that are
    masked as a whole have a NaN for their softmax), so it is told, with the line, and never answered.
    """

    ticks: int = 1
    readings: int = 2
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `hidden/FILE:LINE`, how many values were replaced there; it is read where the dear sensors are on."""
        if not reading.dear:
            return memory, ()
        now = reading.under("hidden")
        holds = {name: now.get(name, 0.0) > 0 for name in {*memory.streaks, *now}}
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        memory, due = hold(memory, reading.tick, holds, patience)
        return memory, told("nan.hidden", memory, due, reading)
