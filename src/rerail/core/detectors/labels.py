"""Belief: nearly all labels of a batch are one class."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, Streak, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The entropy of a batch's labels is below `share` of what as many equally frequent classes would have.

    Shuffling was forgotten, or one class fills the data. A single class that never changes is no label.
    """

    share: float = 0.25
    rows: int = 16  # fewer rows say little about a frequency
    ticks: int = 150
    readings: int = 4
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `label/entropy/N` beside `label/classes/N`."""
        if reading.values.get("batch/rows", 0.0) < self.rows:
            return memory, ()
        holds = {}
        for name, entropy in reading.under("label/entropy").items():
            classes = reading.values.get(name.replace("entropy", "classes"), 1.0)
            known = name in memory.streaks or classes > 1
            if known:
                holds[name] = entropy < self.share * math.log(max(classes, 2.0))
        memory = Lasting(streaks={name: Streak() for name in holds} | dict(memory.streaks))
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, told("labels.imbalanced", memory, due, reading)
