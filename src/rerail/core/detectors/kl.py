"""Belief: a latent carries nothing, or its divergence grows without bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.parts import components, named
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class KlMemory:
    """The smoothed divergences, the largest sum of the other losses in a block, and how long each has been odd."""

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    others: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kl:
    """A component named `kl` rests below `low` nats for `ticks`: posterior collapse (Bowman et al. 2016).

    Or it has grown in each of the last `rising` blocks and is `factor` times the largest sum that the other losses ever
    had. A divergence that is annealed in starts near zero and rises; that is healthy, and so is a level above theirs.
    """

    block: int = 20
    low: float = 1e-3
    factor: float = 10.0
    rising: int = 5
    ticks: int = 1000
    readings: int = 40
    again: int = 10_000

    def init(self) -> KlMemory:
        """Return empty memory."""
        return KlMemory()

    def update(self, memory: KlMemory, reading: Reading) -> tuple[KlMemory, tuple[Finding, ...]]:
        """Judge the divergences at the end of each block."""
        parts = components(reading)
        divergences = named(parts, ("kl",))
        if not divergences:
            return memory, ()
        others = sum(abs(value) for name, value in parts.items() if name not in divergences)
        most = max(memory.others, others)
        blocks, low, grown = dict(memory.blocks), {}, {}
        for name, value in divergences.items():
            one = blocks[name] = blocks.get(name, Blocks()).add(value, self.block, self.rising + 1)
            if one.closed:
                low[name] = abs(one.medians[-1]) < self.low
                grown[f"{name} grown"] = self._grown(one, most)
        lasting, collapsed = hold(
            memory.lasting, reading.tick, low, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        lasting, exploded = hold(lasting, reading.tick, grown, Patience(ticks=0, readings=1, again=self.again))
        names = [name.removesuffix(" grown") for name in exploded]
        found = [Finding(code="kl.collapse", signal=name, evidence=_of(name, parts, most)) for name in collapsed]
        found += [Finding(code="kl.explosion", signal=name, evidence=_of(name, parts, most)) for name in names]
        return KlMemory(blocks=blocks, others=most, lasting=lasting), tuple(found)

    def _grown(self, one: Blocks, others: float) -> bool:
        rising = all(a < b for a, b in zip(one.medians, one.medians[1:], strict=False))
        full = len(one.medians) > self.rising
        return full and rising and others > 0.0 and one.medians[-1] > self.factor * others


def _of(name: str, parts: Mapping[str, float], others: float) -> dict[str, float]:
    return {name: parts.get(name, math.nan), "others at most": others}
