"""Belief: the loss is slowly losing what it had gained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.parts import whole
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceMemory:
    """The smoothed loss, the best of it, and how long it has been above that."""

    blocks: Blocks = field(default_factory=Blocks)
    best: float = math.inf
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The plain sum of the losses stays above its best by `share` of all progress made, and by `sigmas` deviations.

    Compared are medians of `block` ticks, so no single batch counts; the deviation is that within blocks. The margin is
    a share of the progress (start minus best), which needs no unit and no sign; where there was none, of the start. A
    spike is over sooner; a harder curriculum can look like this, so it must last `ticks`.
    """

    block: int = 20
    most: int = 50
    share: float = 0.5
    sigmas: float = 6.0
    ticks: int = 300
    readings: int = 10
    again: int = 10_000

    def init(self) -> DivergenceMemory:
        """Return empty memory."""
        return DivergenceMemory()

    def update(self, memory: DivergenceMemory, reading: Reading) -> tuple[DivergenceMemory, tuple[Finding, ...]]:
        """Judge the loss at the end of each block."""
        name, value = whole(reading)
        blocks = memory.blocks.add(value, self.block, self.most)
        if not blocks.closed or blocks is memory.blocks:
            return DivergenceMemory(blocks=blocks, best=memory.best, lasting=memory.lasting), ()
        now, best = blocks.medians[-1], min(memory.best, blocks.medians[-1])
        gained = blocks.first - best
        margin = self.share * gained if gained > 0 else self.share * abs(blocks.first)
        margin = max(margin, self.sigmas * median(blocks.spreads))
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, {name: now > best + margin}, patience)
        found = tuple(
            Finding(code="loss.divergence", signal=one, evidence={one: now, "best": best, "start": blocks.first})
            for one in due
        )
        return DivergenceMemory(blocks=blocks, best=best, lasting=lasting), found
