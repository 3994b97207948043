"""What waits to be told: one queue a service, and what each was sent, in one SQLite file."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, final

from rerail.core.dispatch import DAY, Bundle, State, Waiting
from rerail.core.notice import Level, Notice
from rerail.tell import secrets
from rerail.tell.database import Database
from rerail.tell.fields import plain
from rerail.tell.services.service import Later, Letter, Refused, Service

_ASK_AGAIN = 3600.0  # seconds until a service is tried again that refuses everything
_WEEK = 7 * DAY
_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (number INTEGER PRIMARY KEY, service TEXT, id TEXT, level INTEGER,
    topic TEXT, code TEXT, notice TEXT, more INTEGER DEFAULT 0, first INTEGER, last INTEGER, open INTEGER DEFAULT 0,
    UNIQUE (service, id));
CREATE TABLE IF NOT EXISTS sends (service TEXT, time REAL, messages INTEGER, open INTEGER);
CREATE TABLE IF NOT EXISTS told (service TEXT, topic TEXT, time REAL, PRIMARY KEY (service, topic));
CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, failures INTEGER DEFAULT 0, failed_at REAL,
    retry_after REAL, reason TEXT DEFAULT '', progress_at REAL, left_out INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS marks (key TEXT PRIMARY KEY, value TEXT);
"""
_ROW = "SELECT notice, more, first, last FROM queue WHERE service = ? ORDER BY number"


@final
class Outbox:
    """A bounded queue a service. It may be used from several threads and processes.

    Its methods do not raise where the disk is full, or the file is locked or broken: they go on in memory, `trouble`
    says what is wrong, and what was held is written once the file can be written again. A kill in that time loses what
    was held; whoever fills the outbox from a journal puts it again.
    """

    def __init__(self, path: Path, services: Sequence[str], bound: int = 1000) -> None:
        self._services, self._bound = tuple(services), bound
        self._base = Database(path, _SCHEMA, self._begin)

    @property
    def trouble(self) -> str:
        """What keeps it from the disk, and whether a broken file was replaced; empty when all is well."""
        return self._base.trouble

    def put(self, *notices: Notice) -> int:
        """Queue for every service what was never put before (by id), and return how many that were."""
        progress = [notice for notice in notices if notice.level == Level.PROGRESS]
        others = [notice for notice in notices if notice.level != Level.PROGRESS]
        return (self._base.change(lambda db: self._put(db, others)) if others else 0) + (
            self._base.change(lambda db: self._put(db, progress), key="progress") if progress else 0
        )

    def waiting(self, service: str) -> tuple[Waiting, ...]:
        """Return what waits for a service, in the order in which it came."""
        rows = self._base.look(lambda db: db.execute(_ROW, (service,)).fetchall())
        return tuple(_waiting(*row) for row in rows)

    def state(self, service: str, now: float) -> State:
        """Return what `dispatch.advance` must know of a service."""
        state = self._base.look(lambda db: _state(db, service, now))
        if max([state.failed_at, state.progress_at, *state.told.values(), *(at for at, _ in state.sent)]) <= now:
            return state
        self._base.change(
            lambda db: _set_back(db, service, now)
        )  # the clock was; else those times would block for long
        return self._base.look(lambda db: _state(db, service, now))

    def left_out(self, service: str) -> int:
        """Return how many notices of progress were dropped untold because the queue was full."""
        return int(self._base.look(lambda db: _of_service(db, service, "left_out")) or "0")

    def reason(self, service: str) -> str:
        """Return why the last try failed; empty when it did not."""
        return self._base.look(lambda db: _of_service(db, service, "reason"))

    def sending(self, bundle: Bundle, service: str, now: float) -> None:
        """Count a message against the budget before it goes, so that a kill between cannot exceed it."""

        def count(db: sqlite3.Connection) -> None:
            db.execute("UPDATE sends SET open = 0 WHERE service = ?", (service,))  # whoever began these was killed
            db.execute("DELETE FROM sends WHERE service = ? AND time <= ?", (service, now - DAY))
            db.execute("DELETE FROM told WHERE service = ? AND time <= ?", (service, now - _WEEK))
            db.execute("INSERT INTO sends VALUES (?, ?, 1, 1)", (service, now))
            rows = [(service, _storable(name)) for name in bundle.ids]
            db.executemany("UPDATE queue SET open = 1 WHERE service = ? AND id = ?", rows)

        self._base.change(count)

    def sent(self, bundle: Bundle, service: str, now: float, messages: int = 1) -> None:
        """Settle what went, as so many messages."""

        def settle(db: sqlite3.Connection) -> None:
            _end(db, service)
            db.execute("INSERT INTO sends VALUES (?, ?, ?, 0)", (service, now, messages))
            _settle(db, service, bundle, now)
            _note(db, service, failures=0, retry_after=None, reason="")

        self._base.change(settle)

    def failed(
        self,
        bundle: Bundle,
        service: str,
        now: float,
        seconds: float | None = None,
        *,
        reason: str = "",
        unsure: bool = False,
        messages: int = 0,
    ) -> None:
        """Keep it for later, after `seconds` where the service says so.

        The `messages` of it that went count in the budget, and one more where it is unsure whether it arrived;
        progress is not told again then.
        """

        def keep(db: sqlite3.Connection) -> None:
            _end(db, service)
            if messages or unsure:
                db.execute("INSERT INTO sends VALUES (?, ?, ?, 0)", (service, now, messages + unsure))
            if unsure and bundle.level == Level.PROGRESS:
                _settle(db, service, bundle, now)
            db.execute("UPDATE services SET failures = failures + 1 WHERE name = ?", (service,))
            _note(db, service, failed_at=now, retry_after=seconds, reason=plain(reason))

        self._base.change(keep)

    def refused(self, bundle: Bundle, service: str, now: float, reason: str = "") -> None:
        """Settle what this service will never take."""

        def settle(db: sqlite3.Connection) -> None:
            _end(db, service)
            _settle(db, service, bundle, now)
            _note(db, service, failures=0, retry_after=None, reason=plain(reason))

        self._base.change(settle)

    def quiet(self, until: float) -> None:
        """Hold everything but critical notices until a moment, for all services."""
        self.remember("quiet_until", repr(until))

    def remember(self, key: str, value: str) -> None:
        """Keep a small text across restarts: how far the journal was read, the next update's number."""
        insert = "INSERT OR REPLACE INTO marks VALUES (?, ?)"
        self._base.change(lambda db: db.execute(insert, (key, value)).rowcount, key=f"mark:{key}")

    def recall(self, key: str) -> str | None:
        """Return what was remembered under a key."""
        return self._base.look(lambda db: _recall(db, key))

    def close(self) -> None:
        """Write what is held, if that is possible now, and close the file."""
        self._base.close()

    def _put(self, db: sqlite3.Connection, notices: Sequence[Notice]) -> int:
        new = [
            notice
            for notice in notices
            if db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_seen(notice),)).rowcount
        ]
        for service in self._services:
            db.executemany(
                "INSERT OR IGNORE INTO queue (service, id, topic, code, level, notice, first, last) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(service, *_row(notice)) for notice in new],
            )
            _bound(db, service, self._bound)
        return len(new)

    def _begin(self, db: sqlite3.Connection) -> None:
        db.executemany("INSERT OR IGNORE INTO services (name) VALUES (?)", [(name,) for name in self._services])


def deliver(
    outbox: Outbox, service: Service, bundle: Bundle, letter: Letter, clock: Callable[[], float] = time.time
) -> str:
    """Send one bundle in its words and write down what came of it; return why it did not go, else nothing.

    A service that refuses everything is asked again in an hour, so nothing is lost while somebody puts it right.
    """
    name = service.name
    outbox.sending(bundle, name, clock())
    try:
        messages = service.send(replace(letter, most=min(letter.most, bundle.room)))
    except Later as later:
        reason, sent = secrets.redacted(later.reason), later.sent
        outbox.failed(bundle, name, clock(), later.seconds, reason=reason, unsure=later.unsure, messages=sent)
        return reason
    except Refused as refused:
        reason = secrets.redacted(refused.reason)
        if refused.everything:
            outbox.failed(bundle, name, clock(), _ASK_AGAIN, reason=reason, messages=refused.sent)
        else:
            outbox.refused(bundle, name, clock(), reason)
        return reason
    except Exception as error:  # noqa: BLE001 (whatever a service raises, the others go on; the reason is told)
        reason = secrets.redacted(f"{type(error).__name__}: {error}")
        outbox.failed(bundle, name, clock(), reason=reason, unsure=True)
        return reason
    outbox.sent(bundle, name, clock(), messages)
    return ""


def _state(db: sqlite3.Connection, service: str, now: float) -> State:
    row = db.execute(
        "SELECT failures, failed_at, retry_after, progress_at FROM services WHERE name = ?", (service,)
    ).fetchone()
    failures, failed_at, retry_after, progress_at = row or (0, None, None, None)
    sent = db.execute("SELECT time, messages FROM sends WHERE service = ? AND time > ?", (service, now - DAY))
    told = db.execute("SELECT topic, time FROM told WHERE service = ?", (service,))
    return State(
        sent=tuple(sent.fetchall()),
        told=dict(told.fetchall()),
        progress_at=_or_never(progress_at),
        quiet_until=float(_recall(db, "quiet_until") or -math.inf),
        failures=failures,
        failed_at=_or_never(failed_at),
        retry_after=retry_after,
    )


def _of_service(db: sqlite3.Connection, service: str, column: str) -> str:
    row = db.execute(f"SELECT {column} FROM services WHERE name = ?", (service,)).fetchone()  # noqa: S608
    return str(row[0]) if row else ""


def _or_never(moment: float | None) -> float:
    return -math.inf if moment is None else moment


def _set_back(db: sqlite3.Connection, service: str, now: float) -> None:
    for table, column, owner in (
        ("sends", "time", "service"),
        ("told", "time", "service"),
        ("services", "failed_at", "name"),
        ("services", "progress_at", "name"),
    ):
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {owner} = ? AND {column} > ?", (now, service, now))  # noqa: S608


def _recall(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM marks WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _end(db: sqlite3.Connection, service: str) -> None:
    """End the try that `sending` began."""
    db.execute("DELETE FROM sends WHERE service = ? AND open = 1", (service,))
    db.execute("UPDATE queue SET open = 0 WHERE service = ?", (service,))


def _settle(db: sqlite3.Connection, service: str, bundle: Bundle, now: float) -> None:
    rows = [(service, _storable(name)) for name in bundle.ids]
    db.executemany("DELETE FROM queue WHERE service = ? AND id = ?", rows)
    told = [(service, _storable(item.notice.topic), now) for item in bundle.items]
    db.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", told)
    if bundle.level == Level.PROGRESS:
        _note(db, service, progress_at=now)


def _note(db: sqlite3.Connection, service: str, **values: float | str | None) -> None:
    columns = ", ".join(f"{name} = ?" for name in values)
    db.execute(f"UPDATE services SET {columns} WHERE name = ?", (*values.values(), service))  # noqa: S608


def _bound(db: sqlite3.Connection, service: str, bound: int) -> None:
    """Drop the oldest progress of a full queue, and count it; where none is left, fold what shares its topic.

    Where no two share a topic, those of one code are folded: they are alike too, and none is lost without a count.
    """
    if (excess := _count(db, service) - bound) <= 0:
        return
    oldest = (
        "DELETE FROM queue WHERE number IN "
        "(SELECT number FROM queue WHERE service = ? AND level = ? AND open = 0 ORDER BY number LIMIT ?)"
    )
    dropped = db.execute(oldest, (service, int(Level.PROGRESS), excess)).rowcount
    db.execute("UPDATE services SET left_out = left_out + ? WHERE name = ?", (dropped, service))
    while _count(db, service) > bound and (_fold(db, service, "topic") or _fold(db, service, "code")):
        pass


def _count(db: sqlite3.Connection, service: str) -> int:
    return int(db.execute("SELECT COUNT(*) FROM queue WHERE service = ?", (service,)).fetchone()[0])


def _fold(db: sqlite3.Connection, service: str, alike: str) -> bool:
    """Fold the notices that share their level and topic (or code), most of all those that are most, into the first."""
    found = db.execute(
        f"SELECT MIN(number), SUM(more + 1) - 1, MIN(first), MAX(last), level, {alike} FROM queue "  # noqa: S608
        f"WHERE service = ? AND open = 0 GROUP BY level, {alike} HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC LIMIT 1",
        (service,),
    ).fetchone()
    if found is None:
        return False
    number, more, first, last, level, shared = found
    db.execute("UPDATE queue SET more = ?, first = ?, last = ? WHERE number = ?", (more, first, last, number))
    db.execute(
        f"DELETE FROM queue WHERE service = ? AND level = ? AND {alike} = ? AND open = 0 AND number <> ?",  # noqa: S608
        (service, level, shared, number),
    )
    return True


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair is no UTF-8


def _seen(notice: Notice) -> bytes:
    """Stands for an id in a table that keeps those of a whole run."""
    return hashlib.blake2b(notice.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _row(notice: Notice) -> tuple[object, ...]:
    text = json.dumps(asdict(notice) | {"level": int(notice.level)})
    named = [_storable(value) for value in (notice.id, notice.topic, notice.code)]
    return (*named, int(notice.level), text, notice.tick, notice.tick)


def _waiting(text: str, more: int, first: int, last: int) -> Waiting:
    fields: dict[str, object] = json.loads(text)
    return Waiting(notice=_notice(fields), more=more, first=first, last=last)


def _notice(fields: Mapping[str, Any]) -> Notice:
    return Notice(**{**fields, "level": Level(fields["level"]), "pictures": tuple(fields["pictures"])})
