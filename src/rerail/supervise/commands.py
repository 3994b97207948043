"""What people may ask of a run by message, from allowed chats alone. Everything else is ignored, and written down."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, get_args

from rerail.requests import Wish, ask
from rerail.supervise.log import Log
from rerail.tell import explain, fields, journal, plots, secrets, story, words
from rerail.tell.services import Letter
from rerail.tell.services.telegram import Update

SURE_SECONDS = 60.0  # in which a stop must be confirmed
QUIET_HOURS, MOST_HOURS = 8.0, 168.0
BY = "telegram"
_COMMAND = re.compile(r"/([a-z]+)(?:@(\w+))?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
_OWN = ("pause", "resume", "stop", "quiet")  # these change something, so that they are for one run
HELP = (
    "/status: how the run stands",
    "/plot: its curves",
    "/explain: what the guard did last; /explain TICK: at that tick",
    "/pause, /resume: wait between two steps (a checkpoint is saved), go on",
    "/stop: end the run with a checkpoint, once confirmed",
    "/quiet HOURS, /quiet off: only what is critical is told for so long",
    "With several runs of one bot: /status NAME.",
)


class Wanted(Protocol):
    """What commands need of a supervisor."""

    def standing(self) -> Letter:
        """How the run stands now."""
        ...

    def trains(self) -> bool:
        """Whether there is a run to ask for something."""
        ...

    def hush(self, until: float) -> None:
        """Tell only what is critical until a moment."""
        ...


class Commands:
    """Carries out what allowed chats write. `names` are all runs of the bot; this one's is `name`."""

    def __init__(self, run: Path, name: str, allowed: frozenset[int], wanted: Wanted, log: Log) -> None:
        self._run, self._name, self._allowed, self._wanted, self._log = run, name, allowed, wanted, log
        self._unsure: dict[int, float] = {}  # chat -> when it asked for a stop
        self._pending: dict[str, int] = {}  # wish -> the chat that waits to hear that it was done
        self._answers: Mapping[str, Callable[[int, str], Letter]] = {
            "status": lambda *_: self._wanted.standing(),
            "help": lambda *_: Letter(title=f"{self._name}: commands", lines=HELP),
            "start": lambda *_: Letter(title=f"{self._name}: commands", lines=HELP),  # what Telegram's button sends
            "plot": lambda *_: self._plot(),
            "explain": lambda _, rest: self._explain(rest),
            "pause": lambda chat, _: self._ask(chat, "pause"),
            "resume": lambda chat, _: self._ask(chat, "resume"),
            "stop": self._stop,
            "quiet": lambda _, rest: self._quiet(rest),
        }

    def answer(self, update: Update, bot: str, names: list[str], *, first: bool) -> Letter | None:
        """Carry out what was written; return what to answer. `first`: this one speaks where one run must."""
        found = _COMMAND.fullmatch(update.text.strip())
        if not update.text:
            return None
        if update.chat not in self._allowed or found is None or found[1].lower() not in self._answers:
            why = "no allowed chat" if update.chat not in self._allowed else "no command"
            self._log.note("ignored", chat=update.chat, said=update.text, why=why)
            return None
        command, rest = found[1].lower(), (found[3] or "").strip()
        if found[2] and found[2].lower() != bot.lower():
            return None
        named = max((one for one in names if rest == one or rest.startswith(f"{one} ")), key=len, default="")
        if named and named != self._name:
            return None
        if not named and len(names) > 1 and command in _OWN:
            told = f"{len(names)} runs are heard of here; say which: " + ", ".join(f"/{command} {one}" for one in names)
            return Letter(title=fields.plain(told, 1000)) if first else None
        self._log.note("command", chat=update.chat, said=update.text)
        return self._carried(command, update.chat, rest.removeprefix(named).strip())

    def done(self, record: Mapping[str, Any]) -> tuple[int, Letter] | None:
        """Return whom to tell that a run has done what they asked for."""
        data = fields.mapping(record, "data")
        chat = self._pending.pop(fields.text(data, "wish"), None)
        if chat is None or fields.text(data, "by") != BY:
            return None
        return chat, Letter(title=f"{self._name}: {words.say(record)}")

    def _carried(self, command: str, chat: int, rest: str) -> Letter:
        try:
            return self._answers[command](chat, rest)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with an answer, the run is followed on)
            return Letter(title=fields.plain(f"{self._name}: /{command} failed: {secrets.redacted(str(error))}", 500))

    def _plot(self) -> Letter:
        told = story.gather(journal.read(self._run), name=self._name)
        return Letter(title=f"{self._name}: step {told.last_step}", pictures=(plots.plot(told),))

    def _explain(self, rest: str) -> Letter:
        if rest and not rest.isdecimal():
            return Letter(title=f"{self._name}: /explain takes the number of a tick, got {fields.plain(rest, 40)}")
        told = explain.explain(story.gather(journal.read(self._run), name=self._name), int(rest) if rest else None)
        title, *lines = told.splitlines()
        return Letter(title=f"{self._name}: {title}", lines=tuple(line for line in lines if line.strip(" =")))

    def _stop(self, chat: int, rest: str) -> Letter:
        asked = self._unsure.pop(chat, -SURE_SECONDS)
        if rest.lower() == "yes" and time.monotonic() - asked < SURE_SECONDS:
            return self._ask(chat, "stop")
        self._unsure[chat] = time.monotonic()
        do = f"/stop {self._name} yes"
        return Letter(title=f"{self._name}: to end this run with a checkpoint, say within a minute: {do}")

    def _ask(self, chat: int, wish: Wish) -> Letter:
        assert wish in get_args(Wish)
        if not self._wanted.trains():
            return Letter(title=f"{self._name}: it is not training now, so nothing was asked of it")
        ask(self._run, wish, by=BY)
        self._pending[wish] = chat
        return Letter(title=f"{self._name}: asked to {wish}; it does so between two steps, and says so here")

    def _quiet(self, rest: str) -> Letter:
        if rest.lower() == "off":
            self._wanted.hush(0.0)
            return Letter(title=f"{self._name}: quiet is off")
        try:
            hours = float(rest) if rest else QUIET_HOURS
        except ValueError:
            hours = -1.0
        if not 0 < hours <= MOST_HOURS:
            return Letter(title=f"{self._name}: /quiet takes hours up to {MOST_HOURS:.0f}, or off")
        self._wanted.hush(time.time() + 3600 * hours)
        return Letter(title=f"{self._name}: for {hours:g} hours only what is critical is told; /quiet off ends that")
