"""What people are told of a run: its journal, followed record by record, becomes notices.

An intervention is gathered whole (seen, proved, remedied, done) before it is told. Critical are a number that is not
finite, a way back to an older state, a halt, critical mode and whatever keeps the run from going on. A step that was
skipped for another reason is no more than a figure of the next progress. So is whether the run recovered from an
intervention: a message for each would double the messages, and one that did not recover meets the guard again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rerail.core.notice import Level, Notice
from rerail.core.outcome import AFTER
from rerail.tell import fields
from rerail.tell.journal import BEGINS
from rerail.tell.notices import events, values
from rerail.tell.notices.standing import Cadence, Standing
from rerail.tell.story import Intervention

if TYPE_CHECKING:
    from rerail.tell.fields import Record
    from rerail.tell.notices.events import Event

__all__ = ["Cadence", "Notices"]

_EVERY_DAY = Cadence()
_CRITICAL = {"HALT": "halt", "REWIND": "restart"}


class Notices:
    """Follows one run, which is called `run`, from the first record of its journal.

    Pure: time is what the records say, and the same records make the same notices with the same ids.
    """

    def __init__(self, run: str, cadence: Cadence = _EVERY_DAY) -> None:
        self.run = fields.plain(run, 80)
        self._standing = Standing(cadence)
        self._case: Intervention | None = None
        self._recovery: Event | None = None
        self._guide = events.Guide()
        self._began: float | None = None
        self._now = 0.0
        self._session = 0
        self._halted, self._silent = False, 0.0
        self._ids: Counter[str] = Counter()

    def take(self, record: Record) -> list[Notice]:
        """Take one journal record; return what it makes known."""
        heard = self._heard(fields.number(record.get("time")), record)
        told = [*heard, *self._closed_by(record)]
        self._standing.take(record)
        taker = {
            "reading": self._reading,
            "verdict": self._verdict,
            "remedy": self._remedy,
            "trial": self._part,
            "cause": self._part,
            "outcome": self._outcome,
            "note": self._note,
        }.get(fields.text(record, "kind"))
        return [*told, *taker(record)] if taker is not None else told

    def rest(self) -> list[Notice]:
        """Return what was gathered and waits for records that will not come: for the end of a journal."""
        return [*self._closed(), *self._recovered()]

    def progress(self) -> Notice:
        """Return how the run stands now, whether that is due or not."""
        return self._notice(events.progress(self._standing.values(self._now, again=True)), identity="status")

    def died(self, *, time: float, exit_code: int | None = None, signal: str = "") -> Notice:
        """Return that the process is gone and the journal has no end; `signal` is a name (`SIGKILL`)."""
        since = values.duration(time - self._now) if self._now else ""
        event = events.died(self._standing, exit_code, fields.plain(signal), since=since)
        return self._notice(event, time=time, identity="died")

    def silent(self, *, time: float, seconds: float) -> Notice:
        """Return that the process is alive and has written nothing for so long; its next record is told of."""
        self._silent = seconds
        event = events.silent(self._standing, seconds, last=values.moment(self._now))
        return self._notice(event, time=time, identity=f"silent-{self._now:.0f}")

    # -- records ------------------------------------------------------------------------------------------------------

    def _heard(self, time: float | None, record: Record) -> list[Notice]:
        """Move the clock; after a silence that was told, also tell that it is over."""
        if not time or not 0 < time < float("inf"):  # what stands for lost records has no time
            return []
        self._now = time
        self._began = time if self._began is None else self._began
        silent, self._silent = self._silent, 0.0
        said = record.get("text") in ("went on", *BEGINS)  # these say so themselves
        return [self._notice(events.went_on(silent, ""))] if silent and not said else []

    def _reading(self, _: Record) -> list[Notice]:
        if not self._standing.due(self._now):
            return []
        notice = self._notice(events.progress(self._standing.values(self._now)))
        self._standing.told(self._now)
        return [notice]

    def _verdict(self, record: Record) -> list[Notice]:
        case = Intervention(tick=fields.whole(record, "tick"), step=self._standing.step)
        case.findings, case.move = fields.mappings(record, "findings"), fields.text(record, "move")
        if case.move != "COMMIT" or values.nonfinite(case):
            self._case = case
        good = events.good(case.findings, self._standing)
        hidden = events.hidden(case.findings)
        return [self._notice(event) for event in (*good, *hidden)]

    def _remedy(self, record: Record) -> list[Notice]:
        self._part(record)
        return [self._notice(event) for event in self._guide.moved(record, self._standing)]

    def _part(self, record: Record) -> list[Notice]:
        case = self._case
        if case is not None and case.tick == fields.whole(record, "tick"):
            kind = fields.text(record, "kind")
            if kind == "cause":
                case.cause = record
            else:
                (case.remedies if kind == "remedy" else case.trials).append(record)
        return []

    def _outcome(self, record: Record) -> list[Notice]:
        did, case = fields.mapping(record, "did"), self._case
        if not did or case is None or case.tick != fields.whole(record, "of"):
            return []
        case.did = did
        return self._closed()

    def _note(self, record: Record) -> list[Notice]:
        text, data = fields.text(record, "text"), fields.mapping(record, "data")
        if text in BEGINS:
            self._session, self._halted = self._session + 1, False
        if text == "recovered":
            self._recovery = events.recovered(data)
            return []
        if text == "notify" and self._recovery is not None:
            return self._recovered(fields.text(data, "message"))
        told = events.noted(text, data, self._standing, halted=self._halted)
        return [*self._recovered(), *([self._notice(told)] if told else [])]

    # -- what was gathered --------------------------------------------------------------------------------------------

    def _closed_by(self, record: Record) -> list[Notice]:
        """Tell of an intervention that has no outcome, at the first record past it."""
        if record.get("kind") in ("reading", "verdict") or record.get("text") in (*BEGINS, "end"):
            return self.rest()
        return []

    def _closed(self) -> list[Notice]:
        case, self._case = self._case, None
        if case is None:
            return []
        self._halted = self._halted or case.moved == "HALT"
        code = _CRITICAL.get(case.moved) or ("nonfinite" if values.nonfinite(case) else "")
        if not code:
            return []
        filled = {**values.intervention(case), "within": str(AFTER)}
        event = events.Event(Level.CRITICAL, code, f"{code}:{values.topic(case)}", filled)
        return [self._notice(event, tick=case.tick, step=case.step)]

    def _recovered(self, message: str = "") -> list[Notice]:
        event, self._recovery = self._recovery, None
        return [] if event is None else [self._notice(event._replace(values={**event.values, "message": message}))]

    def _notice(
        self, event: Event, *, time: float | None = None, tick: int = -1, step: int = -1, identity: str = ""
    ) -> Notice:
        tick = self._standing.latest.tick if tick < 0 else tick
        step = self._standing.step if step < 0 else step
        about = {"run": self.run, "tick": str(tick), "step": str(step)}
        return Notice(
            level=event.level,
            code=event.code,
            topic=event.topic,
            id=self._id(tick, event.code, identity),
            time=self._now if time is None else time,
            tick=tick,
            step=step,
            values=_complete({**about, **event.values}),
            pictures=self._standing.pictures if event.code in events.PICTURED else (),
        )

    def _id(self, tick: int, code: str, identity: str) -> str:
        """The same for the same records, another for another run of the same name; letters that a file may bear."""
        run = hashlib.blake2b(f"{self.run}\n{self._began}".encode(), digest_size=6).hexdigest()
        name = f"{run}-{self._session}-{tick}-{identity or code}"
        if identity:
            return name
        self._ids[name] += 1
        return name if self._ids[name] == 1 else f"{name}-{self._ids[name]}"


def _complete(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value if value.isprintable() else fields.plain(value, 1000) for name, value in given.items()}
