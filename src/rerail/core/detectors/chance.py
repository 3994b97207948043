"""Belief: a loss is what guessing gives, and stays there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.parts import components
from rerail.core.reading import Reading

GIVEN = "signal/chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceMemory:
    """The smoothed losses, the guessing levels last read, and how long each loss rests at one of them."""

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """A component's smoothed value stays within `near` of a guessing level for `ticks`.

    The levels are ln(rows of the batch), which a contrastive loss gives when all embeddings are equal (InfoNCE, van den
    Oord et al. 2018); ln(classes); the entropy of the labels, which the best constant guess gives; and what the losses
    themselves give as `signal/chance` (or `signal/chance/NAME`): a loss that knows what guessing gives says so. Every
    classifier starts there, so it must last; a loss on its way down crosses a band of 1 % quickly.
    """

    block: int = 20
    near: float = 0.01
    ticks: int = 280
    readings: int = 14
    again: int = 10_000

    def init(self) -> ChanceMemory:
        """Return empty memory."""
        return ChanceMemory()

    def update(self, memory: ChanceMemory, reading: Reading) -> tuple[ChanceMemory, tuple[Finding, ...]]:
        """Judge every component at the end of each block."""
        levels = {**memory.levels, **_levels(reading, memory.levels)}
        blocks, holds = dict(memory.blocks), {}
        for name, value in components(reading).items():
            before = blocks.get(name, Blocks())
            blocks[name] = before.add(value, self.block, 1)
            if blocks[name].closed and blocks[name] is not before:
                holds[name] = self._level(blocks[name].medians[-1], levels) is not None
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, holds, patience)
        found = tuple(self._finding(name, blocks[name].medians[-1], levels) for name in due)
        return ChanceMemory(blocks=blocks, levels=levels, lasting=lasting), found

    def _level(self, value: float, levels: Mapping[str, float]) -> str | None:
        near = [name for name, level in levels.items() if abs(value - level) <= self.near * level]
        return min(near, key=lambda name: abs(value - levels[name])) if near else None

    def _finding(self, name: str, value: float, levels: Mapping[str, float]) -> Finding:
        level = self._level(value, levels) or ""
        return Finding(code="loss.chance", signal=name, evidence={name: value, level: levels[level]})


def _levels(reading: Reading, known: Mapping[str, float]) -> dict[str, float]:
    """Return the guessing levels above 0.1 nats; below that, a level is too near to a loss well learned.

    A batch may lack a class, so of classes the most that were seen count, and of the labels' entropy the largest.
    """
    counts = {"batch/rows": reading.values.get("batch/rows", 0.0), **reading.under("label/classes")}
    levels = {f"ln {name}": math.log(count) for name, count in counts.items() if count > 1}
    levels |= reading.under("label/entropy") | reading.under(GIVEN)
    levels |= {GIVEN: reading.values[GIVEN]} if GIVEN in reading.values else {}
    levels = {name: max(level, known.get(name, 0.0) if "label/" in name else 0.0) for name, level in levels.items()}
    return {name: level for name, level in levels.items() if level > 0.1}  # noqa: PLR2004
