"""How long a run was alive, when it began and when it was last heard of, by the times of its records.

Not counted: what lies between two processes, between the wish to wait and what ends the wait, and after the end.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rerail.tell import fields, journal

if TYPE_CHECKING:
    from rerail.tell.fields import Record

_LAST = 253_402_300_800.0  # the year 10,000, which no calendar of Python knows
_ENDS = ("end", "broke off")


class Clock:
    """Follows a journal record by record; times in Unix seconds, None before the first record that has one."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.heard: float | None = None
        self.seconds = 0.0
        self._still = False

    def update(self, record: Record) -> None:
        """Take in one record; one that another process wrote says nothing of the run."""
        now, text = moment(record), record.get("text") if record.get("kind") == "note" else None
        if now is None or text == journal.RELEASED:
            return
        if self.began is None:
            self.began = now
        elif self.heard is not None and not self._still and text not in journal.BEGINS:
            self.seconds += max(0.0, now - self.heard)
        self.heard = now
        self._still = text in _ENDS or self._waits(record, text)

    def _waits(self, record: Record, text: object) -> bool:
        if text == "asked":
            return fields.mapping(record, "data").get("wish") == "pause"
        return self._still and record.get("kind") != "reading" and text not in journal.BEGINS


def moment(record: Record) -> float | None:
    """When a record was written; None where it does not say (a torn line has 0), or says no time at all."""
    time = fields.number(record.get("time"))
    return time if time is not None and math.isfinite(time) and 0 < time < _LAST else None


def day(seconds: float | None) -> str:
    """A time of day that does not depend on where it is read."""
    if seconds is None:
        return "unknown time"
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """`42 s`, `2 min 31 s`, `3 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s"
