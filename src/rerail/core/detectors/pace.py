"""Belief: steps have become slower and stay so."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceMemory:
    """The smoothed step time, its usual value once known, and how long it has been above that."""

    blocks: Blocks = field(default_factory=Blocks)
    usual: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The median step time of a block is `factor` times the usual one, and `least` seconds more, for `ticks`.

    Usual is the median of blocks 2 to `early`; the first holds compilation and warm-up. Another process on the machine
    comes and goes, hence the patience.
    """

    block: int = 20
    early: int = 6
    factor: float = 1.5
    least: float = 0.01
    ticks: int = 300
    readings: int = 10
    again: int = 10_000

    def init(self) -> PaceMemory:
        """Return empty memory."""
        return PaceMemory()

    def update(self, memory: PaceMemory, reading: Reading) -> tuple[PaceMemory, tuple[Finding, ...]]:
        """Judge `time/step` at the end of each block."""
        blocks = memory.blocks.add(reading.values.get("time/step", float("nan")), self.block, self.early)
        if not blocks.closed or blocks is memory.blocks:
            return PaceMemory(blocks=blocks, usual=memory.usual, lasting=memory.lasting), ()
        if not memory.usual:
            usual = median(blocks.medians[1:]) if blocks.count == self.early else 0.0
            return PaceMemory(blocks=blocks, usual=usual, lasting=memory.lasting), ()
        now = blocks.medians[-1]
        slow = now > max(self.factor * memory.usual, memory.usual + self.least)
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, {"time/step": slow}, patience)
        evidence = {"time/step": now, "usual": memory.usual}
        found = tuple(Finding(code="time.slow", signal=name, evidence=evidence) for name in due)
        return PaceMemory(blocks=blocks, usual=memory.usual, lasting=lasting), found
