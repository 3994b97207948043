"""Belief: one loss drowns the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.parts import components, named
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DominatedMemory:
    """The smoothed components, and how long one has had nearly all of the sum."""

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominated:
    """One component's share of the sum of magnitudes is above `share` for `ticks`, and another has not fallen since.

    The values are unweighted, since a reading has no weights; so a share alone says little, and the other component
    must also stand still (within `still` of where it began). A divergence (`kl`) rises rightly and is left out.
    """

    block: int = 50
    share: float = 0.98
    still: float = 0.02
    ticks: int = 1000
    readings: int = 15
    again: int = 10_000

    def init(self) -> DominatedMemory:
        """Return empty memory."""
        return DominatedMemory()

    def update(self, memory: DominatedMemory, reading: Reading) -> tuple[DominatedMemory, tuple[Finding, ...]]:
        """Judge the components at the end of each block."""
        parts = components(reading)
        if len(parts) < 2:  # noqa: PLR2004 (one cannot drown itself)
            return memory, ()
        blocks = {name: memory.blocks.get(name, Blocks()).add(value, self.block, 1) for name, value in parts.items()}
        if not all(one.closed for one in blocks.values()):
            return DominatedMemory(blocks=blocks, lasting=memory.lasting), ()
        now = {name: abs(one.medians[-1]) for name, one in blocks.items()}
        largest = max(now, key=lambda name: now[name])
        share = now[largest] / (sum(now.values()) or 1.0)
        held_up = [
            name for name in now if name != largest and not named({name: 0.0}, ("kl",)) and self._still(blocks[name])
        ]
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, {largest: share > self.share and bool(held_up)}, patience)
        evidence = {"share": share, **{name: now[name] for name in (largest, *held_up)}}
        found = tuple(Finding(code="loss.dominated", signal=name, evidence=evidence) for name in due)
        return DominatedMemory(blocks=blocks, lasting=lasting), found

    def _still(self, one: Blocks) -> bool:
        return one.first != 0.0 and one.medians[-1] > one.first - self.still * abs(one.first)
