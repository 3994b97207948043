"""Hand records to listeners outside the training thread. They can be slow or fail; training does not notice."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from rerail.tell.journal import Journal, Listener

_POLL_SECONDS = 0.1  # how soon the thread sees that it is to end


class Listeners:
    """A bounded queue and one thread. A listener that raises is taken off, and the journal says so.

    Where the queue is full, the record is dropped for the listeners, and counted; the journal has it all the same.
    """

    def __init__(self, journal: Journal, listeners: tuple[Listener, ...], bound: int = 10_000) -> None:
        self._journal, self._listeners = journal, list(listeners)
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue(bound)
        self._failed: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.dropped = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="rerail-listeners", daemon=True)
        journal.listeners.append(self.offer)
        self._thread.start()

    def offer(self, record: dict[str, Any]) -> None:
        """Queue a record without ever waiting."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def report(self, tick: int) -> None:
        """Journal the listeners that failed since the last call; in the training thread, which owns the journal."""
        while not self._failed.empty():
            name, error = self._failed.get()
            self._journal.write("note", tick, text="listener failed", data={"listener": name, "error": error})

    def close(self, tick: int, timeout: float = 10.0) -> None:
        """Let the listeners finish what is queued, at most `timeout` seconds, and journal what was missed."""
        self._journal.listeners.remove(self.offer)
        self._stop.set()
        self._thread.join(timeout)
        self.report(tick)
        if missed := self.dropped + self._queue.qsize():
            self._journal.write("note", tick, text="listeners missed records", data={"records": missed})

    def _work(self) -> None:
        while not (self._stop.is_set() and self._queue.empty()):
            try:
                record = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            for listener in list(self._listeners):
                self._hand(listener, record)

    def _hand(self, listener: Callable[[dict[str, Any]], None], record: dict[str, Any]) -> None:
        try:
            listener(record)
        except Exception as error:  # noqa: BLE001 (whatever a listener raises, training goes on; the journal tells)
            self._listeners.remove(listener)
            self._failed.put(
                (getattr(listener, "__name__", type(listener).__name__), f"{type(error).__name__}: {error}")
            )
