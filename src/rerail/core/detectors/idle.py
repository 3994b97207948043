"""Belief: nothing is learned, because no gradient reaches the weights."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleMemory:
    """How many ticks in a row had a gradient of exactly zero."""

    ticks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """The whole gradient is exactly zero `persistence` ticks in a row.

    That is what a fresh zero loss in place of a NaN, a detached loss or a loss clipped flat looks like: every number is
    finite and the run stands still. Reported once, and again after as many ticks more; where the loss is not zero
    either, `stopped` of them in a row end the run: nothing was learned in all that time.
    """

    persistence: int = 5
    stopped: int = 50

    def init(self) -> IdleMemory:
        """Return empty memory."""
        return IdleMemory()

    def update(self, memory: IdleMemory, reading: Reading) -> tuple[IdleMemory, tuple[Finding, ...]]:
        """Judge `grad/norm`."""
        if reading.values.get("grad/norm", 1.0) != 0.0:
            return IdleMemory(), ()
        ticks = memory.ticks + 1
        if ticks % self.persistence:
            return IdleMemory(ticks=ticks), ()
        evidence = {"grad/norm": 0.0, "ticks": float(ticks)}
        if ticks % self.stopped == 0 and reading.values.get("loss/total", 0.0) != 0.0:
            found = Finding(code="gradient.stopped", signal="grad/norm", evidence=evidence)
            return IdleMemory(ticks=ticks), (found,)
        return IdleMemory(ticks=ticks), (Finding(code="gradient.zero", signal="grad/norm", evidence=evidence),)

    def wary(self, memory: IdleMemory) -> bool:
        """Say whether the last gradient was zero."""
        return memory.ticks > 0
