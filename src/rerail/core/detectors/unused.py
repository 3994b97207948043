"""Belief: the device stands idle for much of each step."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading

CODE = "device.unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """The device was at work for less than `share` of the time, for `ticks`, at each of `readings` looks.

    A run that waits for its data is told by `time.starved`; this one has steps too small for the device, or a loop that
    does more than train.
    """

    share: float = 0.7
    ticks: int = 500
    readings: int = 8
    again: int = 10_000
    signal: str = "device/used"

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `device/used`."""
        if (used := reading.values.get(self.signal)) is None:
            return memory, ()
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory, reading.tick, {self.signal: used < self.share}, patience)
        return lasting, tuple(Finding(code=CODE, signal=name, evidence={name: used}) for name in due)
