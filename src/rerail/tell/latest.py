"""The newest state of a run as its journal tells it: tick, step, values, held-out metrics, knobs in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import fields

if TYPE_CHECKING:
    from rerail.tell.fields import Record


class Latest:
    """Follows a journal record by record.

    A verdict is written only while something is out of the ordinary. So knobs are neutral again as soon as a whole
    reading interval passes without a verdict.
    """

    def __init__(self) -> None:
        self.tick = 0
        self.step: int | None = None
        self.values: dict[str, float] = {}
        self.held_out: dict[str, float] = {}
        self.knobs: Record = {}
        self._judged = False

    def update(self, record: Record) -> None:
        """Take in one record."""
        kind = record.get("kind")
        self.tick = max(self.tick, fields.whole(record, "tick"))
        if kind == "verdict":
            self.knobs, self._judged = fields.mapping(record, "knobs"), True
        elif kind == "reading":
            self._read(record)

    def where(self) -> str:
        """`tick 63, step 61`, or what of it is known."""
        return f"tick {self.tick}" + ("" if self.step is None else f", step {self.step}")

    def _read(self, record: Record) -> None:
        self.values = fields.numbers(record, "values")
        if "step" in self.values:
            self.step = fields.whole(self.values, "step")
        self.held_out |= {name: value for name, value in self.values.items() if name.startswith("eval/")}
        if not self._judged:
            self.knobs = {}
        self._judged = False
