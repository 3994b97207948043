"""Belief: a gate says the same whatever it sees."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The mean of a gate's probabilities is within `edge` of 0 or 1 for long: it never fires, or always does.

    A stop gate fires once in a thousand frames, so the edge is narrow; and none fires in the first steps.
    """

    edge: float = 1e-4
    ticks: int = 500
    readings: int = 5
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `gate/mean/NAME`."""
        if not reading.dear:
            return memory, ()
        gates = reading.under("gate/mean")
        holds = {name: min(value, 1.0 - value) < self.edge for name, value in gates.items()}
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, told("gate.stuck", memory, due, reading)
