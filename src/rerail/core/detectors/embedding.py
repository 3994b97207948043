"""Belief: all embeddings are one."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """The deviation over the rows of an embedding is nearly zero, or its effective rank is nearly one dimension.

    Complete and dimensional collapse of Jing et al. 2022; the effective rank is that of Roy and Vetterli 2007, over
    the dimension or the rows, whichever is less.
    """

    least: float = 1e-4
    dimensions: float = 1.5
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `embedding/std/NAME`, and `embedding/rank/NAME` beside `embedding/size/NAME`."""
        if not reading.dear:
            return memory, ()
        values = reading.values
        holds = {name: std < self.least for name, std in reading.under("embedding/std").items()}
        for name, rank in reading.under("embedding/rank").items():
            size = values.get(name.replace("/rank/", "/size/"), 0.0)
            holds[name] = size > 2 * self.dimensions and rank * size < self.dimensions
        patience = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        memory, due = hold(memory, reading.tick, holds, patience)
        return memory, tuple(
            Finding(code="embedding.collapse", signal=name, evidence={name: values[name], **_both(reading, name)})
            for name in due
        )


def _both(reading: Reading, name: str) -> dict[str, float]:
    """Return the other numbers of the same embedding."""
    last = name.rpartition("/")[2]
    names = (f"embedding/{one}/{last}" for one in ("std", "rank", "size"))
    return {one: reading.values[one] for one in names if one in reading.values and one != name}
