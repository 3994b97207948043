"""Belief: the run waits for its data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class StarvedMemory:
    """The smoothed share of waiting, and how long it has been high."""

    blocks: Blocks = field(default_factory=Blocks)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starved:
    """The wait between two calls of the guard is more than `share` of the step for `ticks`.

    Waits below `least` seconds are nobody's loss. The wait also holds whatever else the loop does between steps; a
    median over blocks keeps evaluations out.
    """

    block: int = 20
    share: float = 0.3
    least: float = 0.005
    ticks: int = 160
    readings: int = 8
    again: int = 10_000

    def init(self) -> StarvedMemory:
        """Return empty memory."""
        return StarvedMemory()

    def update(self, memory: StarvedMemory, reading: Reading) -> tuple[StarvedMemory, tuple[Finding, ...]]:
        """Judge `time/wait` beside `time/step`."""
        wait, step = reading.values.get("time/wait", math.nan), reading.values.get("time/step", 0.0)
        share = 0.0 if wait < self.least else wait / step if step > 0 else math.nan
        blocks = memory.blocks.add(share, self.block, 1)
        if not blocks.closed or blocks is memory.blocks:
            return StarvedMemory(blocks=blocks, lasting=memory.lasting), ()
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        high = {"time/wait": blocks.medians[-1] > self.share}
        lasting, due = hold(memory.lasting, reading.tick, high, patience)
        evidence = {"time/wait": wait, "share": blocks.medians[-1]}
        found = tuple(Finding(code="time.starved", signal=name, evidence=evidence) for name in due)
        return StarvedMemory(blocks=blocks, lasting=lasting), found
