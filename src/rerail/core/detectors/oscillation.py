"""Belief: the loss swings to and fro from step to step, further and further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

from rerail.core.blocks import Blocks, spread
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.parts import whole
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class OscillationMemory:
    """The block being filled, the calmest spread of a full one, and how long it swings."""

    blocks: Blocks = field(default_factory=Blocks)
    calmest: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oscillation:
    """Neighbouring losses are opposed (lag-1 correlation below `opposed`) and swing `growth` times the calmest block.

    That is how a step beyond the edge of stability looks (Cohen et al. 2021): over the minimum and back. With 32 values
    the correlation of plain noise has a deviation of 0.18, and two alternating batches swing less as the run learns.
    """

    block: int = 32
    opposed: float = -0.4
    growth: float = 3.0
    share: float = 0.05  # of the loss itself
    ticks: int = 128
    readings: int = 5
    again: int = 10_000

    def init(self) -> OscillationMemory:
        """Return empty memory."""
        return OscillationMemory()

    def update(self, memory: OscillationMemory, reading: Reading) -> tuple[OscillationMemory, tuple[Finding, ...]]:
        """Judge the loss at the end of each block."""
        name, value = whole(reading)
        last = memory.blocks.open
        blocks = memory.blocks.add(value, self.block, 1)
        if not blocks.closed or blocks is memory.blocks:
            return OscillationMemory(blocks=blocks, calmest=memory.calmest, lasting=memory.lasting), ()
        values = (*last, value)
        width, lag = spread(values), correlation(values)
        calmest = min(memory.calmest, width) if memory.calmest else width
        wild = lag < self.opposed and width > max(self.growth * calmest, self.share * abs(blocks.medians[-1]))
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, {name: wild}, patience)
        evidence = {name: value, "swing": width, "calmest": calmest, "correlation": lag}
        found = tuple(Finding(code="loss.oscillation", signal=one, evidence=evidence) for one in due)
        return OscillationMemory(blocks=blocks, calmest=calmest, lasting=lasting), found


def correlation(values: Sequence[float]) -> float:
    """Return the lag-1 autocorrelation; 0 of a constant row."""
    mean = fmean(values)
    strays = [value - mean for value in values]
    power = sum(one * one for one in strays)
    return sum(one * two for one, two in pairwise(strays)) / power if power else 0.0
