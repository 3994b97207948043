"""Hears what people write to a bot. Telegram lets one program ask; the others of this machine are told by it.

All supervisors of one bot share a folder, named by a hash of its token. Whoever holds the lock there asks Telegram, and
leaves each update as a file for all of them. What was written while nobody asked is never carried out: a command to
stop that waited for a day would stop the wrong run.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from rerail.core.extras import need
from rerail.supervise.log import Log
from rerail.supervise.services import Ear
from rerail.tell import secrets
from rerail.tell.services import Later, Refused
from rerail.tell.services.telegram import Update

WAIT_SECONDS = 25.0  # of one long poll
DEAF_SECONDS = 120.0  # what comes after so long without an answer has waited
KEPT_SECONDS = 600.0  # for the other supervisors
LOCK_SECONDS = 2.0  # between two tries to be the one who asks
CONFLICT = "another program asks Telegram with this token: each machine needs a bot of its own to be heard"


def home() -> Path:
    """Return where supervisors of one person meet on this machine; a folder of its own where there is no home."""
    given = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    folder = Path(given).expanduser() / "rerail" / "bots"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):
        return Path(tempfile.mkdtemp(prefix="rerail-bots-"))
    return folder


class Hearing:
    """Gathers what is written to a bot from now on. `name` is how commands name this run."""

    def __init__(self, ear: Ear, log: Log, name: str, folder: Path | None = None) -> None:
        self._ear, self._log = ear, log
        self._folder = (folder or home()) / hashlib.sha256(ear.token.reveal().encode()).hexdigest()[:16]
        for one in ("updates", "runs"):
            (self._folder / one).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.bot, self.listening, self._told = "", False, ""
        self._seen = set(self._updates())
        self._entry = self._folder / "runs" / f"{os.getpid()}-{uuid4().hex[:8]}.json"
        self.name = self._register(name)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rerail-hearing", daemon=True)
        self._thread.start()

    def take(self) -> list[Update]:
        """Return what was written since the last call."""
        there = self._updates()
        new = [path for path in there if path not in self._seen]
        self._seen = set(there)
        return [one for path in new if (one := _read(path)) is not None]

    def runs(self) -> list[str]:
        """Return the names of the runs of this machine that this bot speaks for."""
        return sorted(self._registered())

    def stop(self) -> None:
        """Hear no more."""
        self._stop.set()
        self._entry.unlink(missing_ok=True)

    def _updates(self) -> list[Path]:
        return sorted((self._folder / "updates").glob("[0-9]*.json"))

    # -- who else is there --------------------------------------------------------------------------------------------

    def _register(self, name: str) -> str:
        taken = self._registered()
        free = next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
        _write(self._entry, {"name": free, "pid": os.getpid(), "began": _began(os.getpid())})
        return free

    def _registered(self) -> set[str]:
        """The names of the runs whose supervisors are there; entries of those that were killed are of no account."""
        told = [_parsed(path) for path in (self._folder / "runs").glob("[0-9]*.json")]
        return {one["name"] for one in told if one is not None and one["began"] == _began(one["pid"])}

    # -- the thread that asks -----------------------------------------------------------------------------------------

    def _work(self) -> None:
        lock = FileLock(self._folder / "asks.lock", timeout=0)
        while not self._stop.is_set():
            try:
                self.bot = self.bot or self._ear.bot.check().removeprefix("@")
                with lock:
                    self._ask()
            except Timeout:
                self._stop.wait(LOCK_SECONDS)
            except (Later, Refused) as error:
                self._say(error.reason)
                self._stop.wait(10.0 * LOCK_SECONDS)
            except Exception as error:  # noqa: BLE001 (commands are an extra: without them people are told all the same)
                self._say(secrets.traced(error)[-1000:])
                self._stop.wait(30.0 * LOCK_SECONDS)
            self.listening = False

    def _ask(self) -> None:
        """Ask until something is wrong; what waits at the beginning is passed over."""
        waited = self._ear.bot.updates(-1, 0.0)
        self._pass(waited)
        offset = max((one.id for one in waited), default=-1) + 1
        answered, self.listening, self._told = time.monotonic(), True, ""
        self._log.note("listening", bot=self.bot)
        while not self._stop.is_set():
            got = self._ear.bot.updates(offset or None, WAIT_SECONDS)
            offset = max(
                (one.id + 1 for one in got), default=0
            )  # what it passed is forgotten there: ids may begin anew
            if time.monotonic() - answered > DEAF_SECONDS:
                self._pass(got)
            else:
                for one in got:
                    told = {"id": one.id, "chat": one.chat, "user": one.user, "text": one.text}
                    _write(self._folder / "updates" / f"{one.id:015d}.json", told)
            answered = time.monotonic()
            self._forget()

    def _pass(self, updates: list[Update]) -> None:
        for one in updates:
            if one.text:
                self._log.note("ignored", chat=one.chat, said=one.text, why="written while nobody listened")

    def _forget(self) -> None:
        for path in self._updates():
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def _say(self, why: str) -> None:
        told = CONFLICT if "conflict" in why.lower() else why
        if told != self._told:  # once, not at every try
            self._told = told
            self._log.note("cannot hear", why=told)


def _began(pid: int) -> float | None:
    psutil: Any = need("psutil", extra="notify")
    try:
        return round(float(psutil.Process(pid).create_time()), 2)
    except psutil.Error:
        return None


def _write(path: Path, told: dict[str, Any]) -> None:
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(told), encoding="utf8")
    draft.replace(path)


def _read(path: Path) -> Update | None:
    told = _parsed(path)
    return None if told is None else Update(**told)


def _parsed(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):  # gone meanwhile
        return None
    return told
