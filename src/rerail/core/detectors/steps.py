"""Belief: the updates are far too small or far too large for the weights they change."""

from __future__ import annotations

from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsMemory:
    """The highest learning rate so far, and how long the ratio has been out of bounds."""

    rate: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The norm of an update over that of the weights is below `small` or above `large`, after the warm-up.

    About 1e-3 is usual (Karpathy's recipe); SageMaker Debugger's rule allows 1e-8 to 10, which misses most faults. A
    schedule, or cuts after a plateau, that have taken the rate below `share` of its peak make small updates rightly.
    Exactly zero is another belief.
    """

    small: float = 1e-6
    large: float = 0.1
    share: float = 0.1
    warmup: int = 100
    ticks: int = 150
    readings: int = 4
    again: int = 10_000

    def init(self) -> StepsMemory:
        """Return empty memory."""
        return StepsMemory()

    def update(self, memory: StepsMemory, reading: Reading) -> tuple[StepsMemory, tuple[Finding, ...]]:
        """Judge `update/ratio`."""
        lr = reading.values.get("lr", 0.0) * reading.values.get("knob/lr_standing", 1.0)
        ratio = reading.values.get("update/ratio")
        rate = max(memory.rate, lr)
        if ratio is None or reading.tick <= self.warmup:
            return (memory if rate == memory.rate else StepsMemory(rate=rate, lasting=memory.lasting)), ()
        small = 0.0 < ratio < self.small and lr >= self.share * rate
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        holds = {"small": small, "large": ratio > self.large}
        lasting, due = hold(memory.lasting, reading.tick, holds, patience)
        evidence = {"update/ratio": ratio, "lr": lr}
        found = tuple(Finding(code=f"update.{one}", signal="update/ratio", evidence=evidence) for one in due)
        return StepsMemory(rate=rate, lasting=lasting), found
