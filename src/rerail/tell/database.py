"""An SQLite file that survives a kill at any moment, and whose owner goes on in memory while it cannot be written.

Its journal is the ordinary one (a file that is deleted at the end of each transaction), not the write-ahead log,
because that needs memory shared by all who open it, which disks on a network do not give. Each change is one
transaction and is synced, so a kill leaves it done or not done.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar, final

from rerail.tell.fields import plain

BUSY = 2.0  # seconds to wait for another process's transaction
T = TypeVar("T")
Change = Callable[[sqlite3.Connection], T]


@final
class Database:
    """Does changes one by one, each of which must do the same when it is done again on another copy.

    What cannot be written is done in memory, on a copy of what can be read, and again on disk when that is well. A kill
    in that time loses it. May be used from several threads and processes.
    """

    def __init__(self, path: Path, schema: str, begin: Change[None]) -> None:
        self._path, self._schema, self._begin = path, schema, begin
        self._lock = threading.RLock()
        self._disk: sqlite3.Connection | None = None
        self._memory: sqlite3.Connection | None = None
        self._held: dict[object, Change[object]] = {}
        self._wrong = self._moved = ""
        self.look(lambda _: None)

    @property
    def trouble(self) -> str:
        """What keeps it from the disk, and whether a broken file was replaced; empty when all is well."""
        return "; ".join(filter(None, (self._moved, self._wrong)))

    def change(self, change: Change[T], key: str | None = None) -> T:
        """Do one change in one transaction. Of those that are held under one `key`, the last is enough."""
        with self._lock:
            try:
                done = self._write(change)
            except (sqlite3.Error, OSError) as error:
                self._lose(error)
                return self._hold(change, key or object())
            if self._memory is not None:
                self._memory.close()
            self._memory, self._held, self._wrong = None, {}, ""
            return done

    def look(self, read: Change[T]) -> T:
        """Read something."""
        with self._lock:
            if self._memory is not None:
                return read(self._memory)
            try:
                return read(self._opened())
            except (sqlite3.Error, OSError) as error:
                self._lose(error)
                return read(self._copied())

    def close(self) -> None:
        """Write what is held, if that is possible now, and close the file."""
        with self._lock:
            if self._held:
                self.change(lambda _: None)
            for connection in (self._disk, self._memory):
                if connection is not None:
                    connection.close()
            self._disk = self._memory = None

    def _write(self, change: Change[T]) -> T:
        db = self._opened()
        with _transaction(db):
            for held in self._held.values():
                held(db)
            return change(db)

    def _hold(self, change: Change[T], key: object) -> T:
        memory = self._memory if self._memory is not None else self._copied()
        with _transaction(memory):
            done = change(memory)
        self._held.pop(key, None)
        self._held[key] = change
        return done

    def _opened(self) -> sqlite3.Connection:
        if self._disk is None:
            self._disk = self._connected()
        return self._disk

    def _connected(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA synchronous = EXTRA")
            db.executescript(self._schema)
            with _transaction(db):
                self._begin(db)
        except BaseException:
            db.close()
            raise
        return db

    def _lose(self, error: Exception) -> None:
        """Say what is wrong, and let go of the file, so that the next change opens it anew."""
        self._wrong = (
            f"{plain(self._path)} cannot be used: {plain(error)}; what it should hold is in memory; "
            "free the disk, or end what keeps the file locked"
        )
        if self._disk is not None:
            with suppress(sqlite3.Error):
                self._disk.close()
        self._disk = None
        if any(word in str(error) for word in ("malformed", "not a database")):
            self._moved, self._wrong = _moved(self._path), ""

    def _copied(self) -> sqlite3.Connection:
        """Go on in memory, with what can still be read of the file."""
        self._memory = memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        memory.executescript(self._schema)
        if self._path.is_file():
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(self._path, timeout=BUSY)) as disk,
            ):  # it is told already
                _copy(disk, memory)
        self._begin(memory)
        return memory


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all rows into the empty tables of `target`; `backup` would wait for a locked file for ever."""
    tables = [name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        rows = source.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 (names of our own schema)
        if rows:
            target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise


def _moved(path: Path) -> str:
    aside = path.with_name(f"{path.name}.broken")
    path.replace(aside)
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    return f"{plain(path)} was broken and lies in {plain(aside.name)} now; a new one was begun"
