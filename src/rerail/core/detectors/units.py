"""Belief: too many hidden units do nothing."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Many units of a ReLU are zero for every row, or many tanh and sigmoid outputs are at their limits.

    A dead unit has no gradient and never comes back (Lu et al. 2019, "Dying ReLU and initialization"); AutoTrainer
    (Zhang et al. 2021) asks for a share of 0.5 to 0.7. Saturated gates are common, so their share must be higher.
    """

    dead: float = 0.6
    saturated: float = 0.75
    ticks: int = 100
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `act/dead/MODULE` and `act/saturated/MODULE`."""
        if not reading.dear:
            return memory, ()
        dead = {name: value >= self.dead for name, value in reading.under("act/dead").items()}
        stuck = {name: value >= self.saturated for name, value in reading.under("act/saturated").items()}
        memory, due = hold(
            memory, reading.tick, dead | stuck, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        found = told("units.dead", memory, [name for name in due if name in dead], reading)
        return memory, found + told("units.saturated", memory, [name for name in due if name in stuck], reading)
