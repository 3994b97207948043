"""Belief: the same row comes more than once in a batch."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """`share` of the rows occur twice in the batch, at `readings` looks: a sampler that repeats itself."""

    share: float = 0.5
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `input/twice`."""
        if "input/twice" not in reading.values:
            return memory, ()
        holds = {"input/twice": reading.values["input/twice"] >= self.share}
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, told("input.twice", memory, due, reading)
