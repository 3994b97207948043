"""Follows one run: its journal, its process, what people ask of it; tells them, and writes nothing into its journal."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rerail.core.dispatch import Bundle
from rerail.core.hang import Hang, usual
from rerail.core.notice import Level, Notice
from rerail.supervise.commands import Commands
from rerail.supervise.config import Config
from rerail.supervise.hearing import Hearing
from rerail.supervise.letters import HINT, letter
from rerail.supervise.life import Life
from rerail.supervise.log import FOLDER, Log
from rerail.supervise.sending import Sending
from rerail.supervise.services import Ear
from rerail.supervise.starter import Starter
from rerail.tell import catalogue, fields, journal, plots, secrets, story
from rerail.tell.notices import Notices
from rerail.tell.outbox import Outbox
from rerail.tell.services import Later, Letter, Refused, Service
from rerail.tell.tail import Place, Tail

STEPS = 50  # that the usual time of one is taken from
SILENCE = Hang(least=600.0, factor=30.0, first=3.0)
READ = 10_000  # records that are taken together
OLD_SECONDS = 600.0  # who begins to supervise a run tells nothing that is older
DRAWN_BYTES = 256 * 2**20  # of a journal; curves of a longer one are drawn for /plot alone
FULL_BYTES = 2**20  # free on a disk that is as good as full
ELSEWHERE = "It trains on another machine or in another container, so its process cannot be seen from here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds: between two looks, how long it stays after a death, and until it gives up what cannot be told."""

    look: float = 1.0
    stay: float = 600.0
    give_up: float = 86_400.0


class Supervisor:
    """Everything that is known of one run. `starter` is the process that began it, 0 for none."""

    def __init__(
        self,
        run: Path,
        config: Config,
        services: list[Service],
        *,
        name: str,
        ear: Ear | None = None,
        starter: int = 0,
        pace: Pace = Pace(),
    ) -> None:
        self._run, self._config, self._name, self._pace = run, config, name, pace
        self._log = Log(run)
        self._outbox = Outbox(run / FOLDER / "outbox.sqlite", tuple(one.name for one in services))
        self._services = services
        self._notices, self._tail, self._life = Notices(name, config.cadence), Tail(run), Life()
        self._told_to, self._since = self._remembered()
        self._wrong = ""  # what was noted last of what goes wrong in here
        self._starter = Starter(starter)
        self._open = self._ended = self._died = self._paused = self._hangs = self._silent = False
        self._sessions = 0
        self._times: deque[float] = deque(maxlen=STEPS)
        self._heard = self._over_since = time.monotonic()
        self._reason = ""  # for which the run broke off, as it says itself
        self._sending = Sending(self._outbox, services, config.rule, self._worded, self._log)
        self._hearing = Hearing(ear, self._log, name) if ear else None
        allowed = ear.allowed if ear else frozenset[int]()
        self._commands = Commands(run, self._hearing.name if self._hearing else name, allowed, self, self._log)
        self._ear = ear

    # -- the loop -----------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Follow the run to its end, and until everything that matters is told."""
        self._log.note("supervising", services=[one.name for one in self._services])
        try:
            while not self.look():
                time.sleep(self._pace.look)
        finally:
            self._close()

    def look(self) -> bool:
        """Look once at everything; say whether there is nothing more to do."""
        seen = self._life.look()  # first, so that all that a process wrote before it went is read below
        starting, sessions = self._starter.waits(), self._sessions
        self._read()
        if self._sessions == sessions:  # else it was another process that was looked at
            self._judge(seen, starting=starting)
        self._listen()
        return self._over(starting=starting)

    def _read(self) -> None:
        while records := self._new():
            told = [notice for record in records for notice in self._understood(record)]
            self._put(told, history=self._tail.place <= self._told_to)
            self._outbox.remember("place", json.dumps(asdict(self._tail.place)))
        if self._tail.replaced:  # by that of another run, of which nothing was told yet
            self._notices, self._tail, self._told_to = (
                Notices(self._name, self._config.cadence),
                Tail(self._run),
                Place(),
            )
        self._complain("outbox", self._outbox.trouble)

    def _new(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        try:
            records.extend(islice(self._tail.poll(), READ))
        except OSError as error:  # what was read before it is in the list
            self._complain("journal cannot be read", str(error))
        return records

    def _understood(self, record: dict[str, Any]) -> list[Notice]:
        try:
            return self._take(record)
        except Exception as error:  # noqa: BLE001 (of what comes after this record people are told all the same)
            self._complain("record not understood", secrets.traced(error)[-1000:])
            return []

    def _complain(self, what: str, why: str) -> None:
        """Note what is wrong, once in a row."""
        if why and self._wrong != why:
            self._wrong = why
            self._log.note(what, why=why)

    def _put(self, told: list[Notice], *, history: bool = False) -> None:
        new = [] if history else [one for one in told if one.time >= self._since]
        if new and self._outbox.put(*new):
            self._sending.wake()

    def _take(self, record: dict[str, Any]) -> list[Notice]:
        told = self._notices.take(record)
        self._log.tick = max(self._log.tick, fields.whole(record, "tick"))
        self._heard, self._silent = time.monotonic(), False
        kind, text, data = record.get("kind"), record.get("text"), fields.mapping(record, "data")
        self._hangs = kind == "note" and text == "hang"
        if kind == "reading":
            seconds = fields.numbers(record, "values").get("time/step", math.nan)
            self._times.extend([seconds] if math.isfinite(seconds) else [])
        if kind != "note":
            return told
        if text in ("start", "resume"):
            told = self._began(told, data, at=fields.number(record.get("time")) or 0.0)
        elif text == "asked":
            self._paused = data.get("wish") == "pause"
            self._answer(self._commands.done(record))
        elif text == "broke off":
            self._reason = f"It broke off: {fields.text(data, 'error')}"
        self._ended = self._ended or text == "end"
        return told

    def _began(self, told: list[Notice], data: Mapping[str, object], *, at: float) -> list[Notice]:
        process = fields.mapping(data, "process")
        self._life.follow(process, at=at)
        self._starter.began(fields.whole(process, "pid"), at=at)
        matters = self._died
        self._sessions += 1
        self._open, self._ended, self._died, self._paused, self._reason = True, False, False, False, ""
        self._times.clear()
        return [replace(one, level=Level.SUCCESS) if matters and one.code == "resumed" else one for one in told]

    # -- what the journal does not say --------------------------------------------------------------------------------

    def _judge(self, seen: str, *, starting: bool) -> None:
        if self._died or self._ended or starting:
            return
        if (self._open and seen == "gone") or self._starter.gone_unseen:
            self._died = True
            self._put([*self._notices.rest(), self._dead()])
        elif self._open and not (self._paused or self._hangs or self._silent):
            silent = time.monotonic() - self._heard
            if silent > SILENCE.limit(usual(tuple(self._times))):
                self._silent = True
                notice = self._notices.silent(time=time.time(), seconds=silent)
                self._put([_hinted(notice, " ".join((ELSEWHERE if seen == "unknown" else "", self._full())).strip())])

    def _full(self) -> str:
        try:
            free = shutil.disk_usage(self._run).free
        except OSError as error:
            return f"Its folder cannot be read: {error}."
        return f"The disk of its folder is full: {free} bytes are free." if free < FULL_BYTES else ""

    def _dead(self) -> Notice:
        end = self._life.end
        notice = self._notices.died(time=time.time(), exit_code=end.exit_code, signal=end.signal)
        return _hinted(notice, " ".join(one for one in (self._reason, self._life.hint()) if one))

    def _over(self, *, starting: bool) -> bool:
        if starting or not (self._ended or self._died or self._starter.gone):
            self._over_since = time.monotonic()
            return False
        passed = time.monotonic() - self._over_since
        if self._died and passed < self._pace.stay:  # it may be resumed, by a program that starts no supervisor
            return False
        waits = [row.notice for one in self._services for row in self._outbox.waiting(one.name)]
        left = sorted({one.code for one in waits if one.level > Level.PROGRESS})
        if passed > self._pace.give_up:
            self._log.note("gave up", left=left, hours=round(passed / 3600, 1))
            return True
        return not left and not self._sending.busy

    # -- people -------------------------------------------------------------------------------------------------------

    def standing(self) -> Letter:
        """How the run stands now, for /status."""
        told = catalogue.text(self._notices.progress(), self._config.language)
        state = "ended" if self._ended else "gone" if self._died else "paused" if self._paused else "training"
        lines = (f"State: {state}.", *(f"{label}: {text}" for label, text in told.lines))
        return Letter(title=told.title, lines=lines, direction="rtl" if told.right_to_left else "ltr")

    def trains(self) -> bool:
        """Whether there is a run that can be asked for something."""
        return self._open and not self._ended and not self._died and self._life.look() != "gone"

    def hush(self, until: float) -> None:
        """Tell only what is critical until a moment."""
        self._outbox.quiet(until)

    def _listen(self) -> None:
        if self._hearing is None:
            return
        for update in self._hearing.take():
            first = self._hearing.listening
            answer = self._commands.answer(update, self._hearing.bot, self._hearing.runs(), first=first)
            self._answer((update.chat, answer) if answer else None)

    def _answer(self, answer: tuple[int, Letter] | None) -> None:
        if answer is None or self._ear is None:
            return
        try:
            self._ear.bot.reply(*answer)
        except (Later, Refused) as error:  # whoever asked sees that no answer came
            self._log.note("not answered", chat=answer[0], why=error.reason)

    def _worded(self, bundle: Bundle) -> Letter:
        try:
            return letter(bundle, self._config.language, self._run, self._config.zone, self._drawn(bundle))
        except Exception as error:  # noqa: BLE001 (what cannot be worded is told all the same, by its code)
            self._log.note("wording failed", error=f"{type(error).__name__}: {error}")
            codes = tuple(f"- {one.notice.code}, step {one.notice.step}" for one in bundle.items)
            return Letter(title=fields.plain(self._name), lines=codes, level=bundle.level, most=1)

    def _drawn(self, bundle: Bundle) -> dict[str, bytes]:
        size = sum(path.stat().st_size for path in self._run.glob("journal*.jsonl"))
        if bundle.level is not Level.PROGRESS or bundle.items[0].notice.code != "progress" or size > DRAWN_BYTES:
            return {}
        try:
            told = story.gather(journal.read(self._run), name=self._name)
            return {bundle.items[0].notice.id: plots.plot(told)}
        except (ValueError, OSError, ModuleNotFoundError) as error:
            self._log.note("not drawn", why=str(error))
            return {}

    # -- beginning and end --------------------------------------------------------------------------------------------

    def _end(self, service: Service) -> None:
        try:
            service.close()
        except Exception as error:  # noqa: BLE001 (a connection that does not end keeps nobody from going)
            self._log.note("not closed", service=service.name, error=f"{type(error).__name__}: {error}")

    def _remembered(self) -> tuple[Place, float]:
        """Return how far the journal was told of, and since when what it says is to be told."""
        kept = self._outbox.recall("place")
        place = Place(**json.loads(kept)) if kept else Place()
        look = Tail(self._run, place)
        next(look.poll(), None)
        known = kept and (self._run / journal.NAME).exists() and not look.replaced
        return (place, -math.inf) if known else (Place(), time.time() - OLD_SECONDS)

    def _close(self) -> None:
        if self._hearing is not None:
            self._hearing.stop()
        self._sending.stop()
        for one in (*self._services, *([self._ear.bot] if self._ear else [])):
            self._end(one)
        self._log.note("ended")
        self._outbox.close()
        self._log.close()


def _hinted(notice: Notice, hint: str) -> Notice:
    return replace(notice, values={**notice.values, HINT: hint}) if hint else notice
