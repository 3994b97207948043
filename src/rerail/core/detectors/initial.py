"""Belief: the weights start far too large."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialMemory:
    """Whether the start was looked at."""

    seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Initial:
    """Before the first step a layer makes its inputs `gain` times larger, where 0.6 to 1.7 is usual.

    The usual ones are those of Glorot and Bengio (2010) and He et al. (2015), times at most 5/3 for a tanh; orthogonal
    starts are within it. Weights that were trained before may be larger, which is why this is only told.
    """

    gain: float = 5.0

    def init(self) -> InitialMemory:
        """Return empty memory."""
        return InitialMemory()

    def update(self, memory: InitialMemory, reading: Reading) -> tuple[InitialMemory, tuple[Finding, ...]]:
        """Judge `weight/gain`, once."""
        gain = reading.values.get("weight/gain")
        if memory.seen or gain is None:
            return memory, ()
        if reading.values.get("step") != 0.0 or gain <= self.gain:
            return InitialMemory(seen=True), ()
        found = Finding(code="weights.wide", signal="weight/gain", evidence={"weight/gain": gain, "usual": 1.0})
        return InitialMemory(seen=True), (found,)
