"""Belief: the loader gives nothing any more that can be trained on."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptiedMemory:
    """Nothing: the signals count by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """No row of `emptied` batches in a row holds anything, or every row of `rescaled` batches is on another scale.

    A source that fails for a while comes back. A scale that has changed for all rows has changed for good, and no
    setting puts the data right.
    """

    emptied: float = 100
    rescaled: float = 30

    def init(self) -> EmptiedMemory:
        """Return empty memory."""
        return EmptiedMemory()

    def update(self, memory: EmptiedMemory, reading: Reading) -> tuple[EmptiedMemory, tuple[Finding, ...]]:
        """Judge `input/emptied` and `input/rescaled`."""
        limits = {"input/emptied": self.emptied, "input/rescaled": self.rescaled}
        return memory, tuple(
            Finding(code="input.exhausted", signal=name, evidence={name: reading.values[name]})
            for name, limit in limits.items()
            if reading.values.get(name, 0.0) >= limit
        )
