"""Belief: from its start on, the run has learned nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.parts import components
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class StillMemory:
    """The smoothed losses until one of them has moved (`moved`), and the tick of the last telling."""

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    moved: bool = False
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """After `ticks` ticks no loss has ever moved by `share` of itself, nor by `sigmas` deviations of its noise.

    Medians of `block` ticks are compared with that of the first block, in both directions: a loss that moves is
    learning, or is told otherwise. Once any has moved the detector rests for good; a flat start can be healthy, hence
    the patience.
    """

    block: int = 20
    most: int = 5
    share: float = 0.02
    sigmas: float = 1.0
    ticks: int = 600
    again: int = 10_000

    def init(self) -> StillMemory:
        """Return empty memory."""
        return StillMemory()

    def update(self, memory: StillMemory, reading: Reading) -> tuple[StillMemory, tuple[Finding, ...]]:
        """Judge every component at the end of each block."""
        if memory.moved:
            return memory, ()
        blocks = dict(memory.blocks)
        for name, value in components(reading).items():
            blocks[name] = blocks.get(name, Blocks()).add(value, self.block, self.most)
        if any(self._moved(one) for one in blocks.values() if one.closed):
            return StillMemory(moved=True), ()
        longest = max((one.count * self.block for one in blocks.values()), default=0)
        waited = reading.tick - memory.told if memory.told else math.inf
        if longest < self.ticks or waited < self.again:
            return StillMemory(blocks=blocks, told=memory.told), ()
        name, one = max(blocks.items(), key=lambda item: abs(item[1].first))
        evidence = {name: median(one.medians), "start": one.first, "lasted": float(longest)}
        found = Finding(code="loss.still", signal=name, evidence=evidence)
        return StillMemory(blocks=blocks, told=reading.tick), (found,)

    def _moved(self, blocks: Blocks) -> bool:
        if blocks.count < self.most:
            return False
        change = abs(median(blocks.medians) - blocks.first)
        return change > max(self.share * abs(blocks.first), self.sigmas * median(blocks.spreads))
