"""Belief: the numbers of a batch are far beyond any that came before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One tensor of the batch: the largest magnitude accepted, of how many batches, and how many in a row passed it."""

    largest: float = 0.0
    batches: int = 0
    beyond: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FarMemory:
    """A reach per tensor."""

    reaches: Mapping[str, Reach] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """An input is `never` times as large as anything in `warmup` batches or more: `input.far`, whose rows are left out.

    One that is `often` times as large for `persistence` batches in a row, or `once` times in one, is told:
    `input.range`. A range that lasts `adopt` batches is the new one. A normalisation layer hides such inputs from the
    loss, and keeps them in its statistics.
    """

    warmup: int = 20
    never: float = 1000.0
    once: float = 30.0
    often: float = 5.0
    persistence: int = 5
    adopt: int = 30

    def init(self) -> FarMemory:
        """Return empty memory."""
        return FarMemory()

    def update(self, memory: FarMemory, reading: Reading) -> tuple[FarMemory, tuple[Finding, ...]]:
        """Judge `input/largest/N`."""
        reaches, findings = dict(memory.reaches), []
        for name, value in reading.under("input/largest").items():
            if math.isfinite(value):
                reaches[name], found = self._judge(reaches.get(name, Reach()), name, value)
                findings += found
        return FarMemory(reaches=reaches), tuple(findings)

    def _judge(self, known: Reach, name: str, value: float) -> tuple[Reach, list[Finding]]:
        usual = known.largest
        near = known.batches < self.warmup or usual <= 0 or value < self.often * usual
        if near or known.beyond + 1 >= self.adopt:
            return Reach(largest=max(usual, value), batches=known.batches + 1), []
        known = replace(known, beyond=known.beyond + 1)
        evidence = {name: value, "usual": usual}
        if value >= self.never * usual:
            return known, [Finding(code="input.far", signal=name, evidence=evidence)]
        due = known.beyond == self.persistence or (value >= self.once * usual and known.beyond == 1)
        return known, [Finding(code="input.range", signal=name, evidence=evidence)] if due else []
