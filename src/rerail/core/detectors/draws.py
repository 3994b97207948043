"""Belief: the step draws random numbers that it did not draw before."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawsMemory:
    """How many operations drew at the last looks, oldest first, and whether it was told."""

    counts: tuple[float, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """At `looks` looks as many operations of the forward pass drew random numbers, and now more or fewer do.

    Dropout or noise that was switched on or off: a mode that was not set back after an evaluation, a second model that
    shares a part. It may be meant (a regularisation that sets in), so it is told. Models that draw now and then (layers
    left out by chance) never have an equal count for long.
    """

    looks: int = 3

    def init(self) -> DrawsMemory:
        """Return empty memory."""
        return DrawsMemory()

    def update(self, memory: DrawsMemory, reading: Reading) -> tuple[DrawsMemory, tuple[Finding, ...]]:
        """Judge `random/operations`, which is read where the dear sensors are on."""
        count = reading.values.get("random/operations")
        if count is None or memory.told:
            return memory, ()
        known = memory.counts[-self.looks :]
        if len(known) < self.looks or len(set(known)) > 1 or count == known[-1]:
            return DrawsMemory(counts=(*known, count)), ()
        evidence = {"random/operations": count, "before": known[-1]}
        found = Finding(code="random.changed", signal="random/operations", evidence=evidence)
        return DrawsMemory(told=True), (found,)
