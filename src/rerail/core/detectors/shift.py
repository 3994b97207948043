"""Belief: the data is no longer what it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from rerail.core.detectors.drift import DriftMemory, kept
from rerail.core.finding import Finding
from rerail.core.lasting import Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An input's mean is `sigmas` of its deviations from where its first `early` readings had it.

    Or its deviation is `factor` times what it was, or one `factor`th. A batch's mean strays far less than one deviation
    of its numbers; rows of one kind in a row do not last. Tensors whose deviation is zero are not judged.
    """

    early: int = 5
    sigmas: float = 2.0
    factor: float = 8.0
    ticks: int = 150
    readings: int = 4
    again: int = 10_000

    def init(self) -> DriftMemory:
        """Return empty memory."""
        return DriftMemory()

    def update(self, memory: DriftMemory, reading: Reading) -> tuple[DriftMemory, tuple[Finding, ...]]:
        """Judge `input/mean/N` and `input/std/N`, where the tensor has features (`input/low/N` is there)."""
        if not reading.dear:
            return memory, ()
        low = reading.under("input/low")
        if not low:
            return memory, ()
        names = [name.replace("low", one) for name in low for one in ("mean", "std")]
        values = {name: reading.values[name] for name in names if name in reading.values}
        first = kept(memory.first, values, self.early)
        usual = {name: median(first[name]) for name in values if len(first[name]) == self.early}
        holds = {name: self._away(name, values, usual) for name in usual}
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, holds, patience)
        found = tuple(
            Finding(code="input.drift", signal=name, evidence={name: values[name], "at first": usual[name]})
            for name in due
        )
        return DriftMemory(first=first, lasting=lasting), found

    def _away(self, name: str, values: dict[str, float], usual: dict[str, float]) -> bool:
        std = usual.get(name.replace("/mean/", "/std/"), 0.0)
        if std <= 0.0:
            return False
        if "/mean/" in name:
            return abs(values[name] - usual[name]) > self.sigmas * std
        return values[name] <= 0.0 or abs(math.log(values[name] / usual[name])) > math.log(self.factor)
