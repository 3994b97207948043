"""What services that draw a run are shown: curves over ticks, the files of a run, what was said at a tick.

The horizontal axis is the tick, not the step. A skipped step is tried again under its number and a rewound one comes a
second time, and what a service is told twice it overwrites (TensorBoard), refuses (W&B) or folds over itself (MLflow).
Ticks only rise, so nothing of what was rewound is lost; `step` is a curve of its own, which falls there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rerail.tell import fields, words
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from pathlib import Path

    from rerail.tell.fields import Record

NONFINITE = "nonfinite"  # a curve: how many numbers of a reading are not finite, for services that draw no NaN


class Shown:
    """Follows a journal record by record."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._latest = Latest()
        self._said: tuple[int, list[str]] = (0, [])

    @property
    def tick(self) -> int:
        """The newest tick."""
        return self._latest.tick

    def update(self, record: Record) -> None:
        """Take in one record."""
        self._latest.update(record)

    def curves(self, record: Record) -> dict[str, float]:
        """What a reading adds to each curve; nothing for another record."""
        if record.get("kind") != "reading":
            return {}
        values = {fields.plain(name): value for name, value in self._latest.values.items()}
        return values | {NONFINITE: float(sum(not math.isfinite(value) for value in values.values()))}

    def event(self, record: Record) -> str:
        """The sentence for a record, with its place; empty where a person need not be told."""
        sentence = None if record.get("kind") == "reading" else words.say(record)
        return f"{self._latest.where()}: {sentence}" if sentence else ""

    def events(self, record: Record) -> list[str]:
        """All that was said at this tick so far, where this record adds to it; nothing where it does not.

        For services that keep one text a tick.
        """
        said = self.event(record)
        if not said:
            return []
        tick, before = self._said
        self._said = (self.tick, [*(before if tick == self.tick else []), said])
        return self._said[1]

    def file(self, record: Record, media: str) -> Path | None:
        """The file that an artifact record names, where it is of this media type and is there."""
        if record.get("kind") != "artifact" or record.get("media") != media:
            return None
        found = self._run / str(record.get("path", ""))
        return found if found.is_file() else None
