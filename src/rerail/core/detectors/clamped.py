"""Belief: a learned temperature does not learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.parts import named
from rerail.core.reading import Reading

NAMES = ("temperature", "logit_scale", "log_tau", "logit_bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClampedMemory:
    """The last value of each, and how long it has been exactly that."""

    last: Mapping[str, float] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamped:
    """A signal named like a temperature is bit for bit the same for `ticks`: at its clamp, or in no optimizer.

    CLIP clamps its logit scale at ln 100 (Radford et al. 2021); a parameter at the clamp has no gradient.
    """

    ticks: int = 500
    readings: int = 200
    again: int = 10_000

    def init(self) -> ClampedMemory:
        """Return empty memory."""
        return ClampedMemory()

    def update(self, memory: ClampedMemory, reading: Reading) -> tuple[ClampedMemory, tuple[Finding, ...]]:
        """Judge `signal/NAME`."""
        now = named(reading.under("signal"), NAMES)
        if not now:
            return memory, ()
        holds = {name: memory.last.get(name) == value for name, value in now.items()}
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, holds, patience)
        return ClampedMemory(last={**memory.last, **now}, lasting=lasting), told("scale.clamped", lasting, due, reading)
