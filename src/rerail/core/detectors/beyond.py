"""Belief: a signal stays above what is healthy for it."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """Every reading of `signal`, or of what stands under it, is above `most` for `ticks`, at `readings` looks.

    Trainers that know what their signals mean name them: a `code` is what it is called when it is told.
    """

    code: str
    signal: str
    most: float
    ticks: int
    readings: int
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `signal` and `signal/...`."""
        own = {self.signal: reading.values[self.signal]} if self.signal in reading.values else {}
        holds = {name: value > self.most for name, value in (own | reading.under(self.signal)).items()}
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        memory, due = hold(memory, reading.tick, holds, patience)
        return memory, told(self.code, memory, due, reading, most=self.most)
