"""What a run does just now, as far as its journal tells: its figures, its last events, whether it is still heard of."""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rerail.tell import fields, words
from rerail.tell.clock import Clock, duration, moment
from rerail.tell.journal import BEGINS
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from rerail.tell.fields import Record

Word = Literal["waiting", "training", "paused", "silent", "finished", "stopped", "halted", "broken", "ended"]
EVENTS = 60  # the newest ones that are kept
SPARK = 60  # readings of a sparkline
_STEPS = 50  # whose median is the usual time of a step
_SILENT = 60.0  # seconds without a record that are worth a word
_USUAL = 20  # and so many times the usual step
_ENDS: dict[str, Word] = {"finished": "finished", "stopped": "stopped", "halted": "halted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was told: when (Unix seconds), where in the run, in which words.

    `kind` is that of its record, `number` says which record of the journal it was.
    """

    number: int
    time: float | None
    where: str
    text: str
    kind: str


class State:
    """Follows a run record by record.

    `records` is how many there were, `total` the number of steps that the run will take, where its settings say so,
    `losses` the newest ones, the total first.
    """

    def __init__(self) -> None:
        self.latest = Latest()
        self.records = 0
        self.total: int | None = None
        self.losses: dict[str, float] = {}
        self._clock = Clock()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.spark: deque[float] = deque(maxlen=SPARK)
        self._seconds: deque[float] = deque(maxlen=_STEPS)
        self._end: Record | None = None
        self._paused = ""

    def take(self, record: Record) -> None:
        """Take in one record."""
        self.latest.update(record)
        self.records += 1
        self._clock.update(record)
        if record.get("kind") == "reading":
            self._read()
        elif record.get("kind") == "note":
            self._note(fields.text(record, "text"), fields.mapping(record, "data"))
        if (said := words.say(record)) is not None:
            kind, where = fields.text(record, "kind"), self.latest.where()
            self.events.append(Event(number=self.records, time=moment(record), where=where, text=said, kind=kind))

    @property
    def ended(self) -> str:
        """Why the run ended; empty while it goes on."""
        return "" if self._end is None else fields.text(self._end, "reason", "no reason given")

    @property
    def usual(self) -> float | None:
        """The usual time of a step in seconds."""
        return statistics.median(self._seconds) if self._seconds else None

    def silence(self, now: float) -> float | None:
        """Seconds since the last record; None before the first."""
        heard = self._clock.heard
        return None if heard is None else max(0.0, now - heard)

    def word(self, now: float) -> Word:
        """The state in one word."""
        silence = self.silence(now)
        if silence is None:
            return "waiting"
        if self._end is not None:
            return "broken" if "error" in self._end else _ENDS.get(self.ended, "ended")
        if self._paused:
            return "paused"
        return "silent" if silence > max(_SILENT, _USUAL * (self.usual or 0.0)) else "training"

    def told(self, now: float) -> str:
        """The state in a line, with what is left of the run where that is known."""
        word, silence = self.word(now), duration(self.silence(now) or 0.0)
        told: dict[Word, str] = {
            "waiting": "no record yet",
            "training": f"training; last record {silence} ago{self._left()}",
            "paused": f"paused: asked by {self._paused}, {silence} ago",
            "silent": f"no record for {silence}: the run stands still, or its process is gone",
            "broken": f"broke off {silence} ago: {fields.text(self._end or {}, 'error')}",
            "ended": f"ended {silence} ago: {self.ended}",
        }
        return told.get(word, f"{word} {silence} ago")

    def _left(self) -> str:
        if self.total is None or self.usual is None or self.latest.step is None or self.latest.step >= self.total:
            return ""
        return f"; about {duration((self.total - self.latest.step) * self.usual)} left"

    def _read(self) -> None:
        self._end, self._paused = None, ""
        values = self.latest.values
        if losses := {name: value for name, value in values.items() if name.startswith("loss/")}:  # not at the very end
            self.losses = dict(sorted(losses.items(), key=lambda pair: pair[0] != "loss/total"))
            self.spark.append(next(iter(self.losses.values())))
        if math.isfinite(seconds := values.get("time/step", math.nan)):
            self._seconds.append(seconds)

    def _note(self, text: str, data: Record) -> None:
        if text in BEGINS:
            self._end, self._paused = None, ""
            steps = fields.whole(fields.mapping(data, "config"), "steps")
            self.total = steps or self.total
        elif text in ("end", "broke off"):
            self._end = data
        elif text == "asked":
            self._paused = (fields.text(data, "by") or "somebody") if data.get("wish") == "pause" else ""
