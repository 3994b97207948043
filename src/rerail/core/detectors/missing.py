"""Belief: weights that are meant to be trained are not."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Parameters that require a gradient have none, or no optimizer holds them, at `readings` looks in a row.

    A detached branch, an output that no loss uses, or an optimizer made before a layer was added. Some models leave a
    branch out at some steps, so only what lasts is told. What no optimizer holds does not change by itself: two looks.
    """

    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `param/no_gradient` and `param/loose`."""
        patience = {
            "param/no_gradient": Patience(ticks=self.ticks, readings=self.readings, again=self.again),
            "param/loose": Patience(ticks=1, readings=2, again=self.again),
        }
        due: list[str] = []
        for name, one in patience.items():
            holds = {name: reading.values[name] > 0.0} if name in reading.values else {}
            memory, more_due = hold(memory, reading.tick, holds, one)
            due += more_due
        more = {"param/total": reading.values.get("param/total", 0.0)}
        return memory, tuple(
            Finding(
                code="gradient.missing",
                signal=name,
                evidence={name: reading.values[name], **more, **reading.under(name)},
            )
            for name in due
        )
