"""Belief: the run learned, and has stopped learning."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.parts import whole
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateauMemory:
    """The smoothed loss, the level it was last better than, the tick of that, and the tick of the last telling."""

    blocks: Blocks = field(default_factory=Blocks)
    best: float = math.inf
    since: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """The plain sum of the losses has not become better for `ticks`, and for `share` of the run so far.

    Better means by `gain` of the progress made so far and by `sigmas` deviations of a block's median. That the run had
    made progress is asked for first (a flat start is `loss.still`). Converged runs look the same, so it is told late,
    and only told.
    """

    block: int = 50
    most: int = 40
    gain: float = 0.005
    sigmas: float = 3.0
    share: float = 0.5
    ticks: int = 2000
    again: int = 10_000

    def init(self) -> PlateauMemory:
        """Return empty memory."""
        return PlateauMemory()

    def update(self, memory: PlateauMemory, reading: Reading) -> tuple[PlateauMemory, tuple[Finding, ...]]:
        """Judge the loss at the end of each block."""
        name, value = whole(reading)
        blocks = memory.blocks.add(value, self.block, self.most)
        if not blocks.closed or blocks is memory.blocks:
            return PlateauMemory(blocks=blocks, best=memory.best, since=memory.since, told=memory.told), ()
        now, tick, noise = blocks.medians[-1], reading.tick, median(blocks.spreads) / math.sqrt(self.block)
        if now < memory.best - max(self.gain * (blocks.first - now), self.sigmas * noise):
            return PlateauMemory(blocks=blocks, best=now, since=tick, told=memory.told), ()
        flat = tick - memory.since >= max(self.ticks, self.share * tick)
        learned = blocks.first - memory.best > max(noise, 0.02 * abs(blocks.first))
        if not (flat and learned) or (memory.told and tick - memory.told < self.again):
            return PlateauMemory(blocks=blocks, best=memory.best, since=memory.since, told=memory.told), ()
        evidence = {name: now, "best": memory.best, "lasted": float(tick - memory.since)}
        found = Finding(code="loss.plateau", signal=name, evidence=evidence)
        return PlateauMemory(blocks=blocks, best=memory.best, since=memory.since, told=tick), (found,)
