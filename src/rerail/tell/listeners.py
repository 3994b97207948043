"""Hand records to listeners outside the training thread. They can be slow or fail; training does not notice.

A listener is called with one record after another, in a thread of its own: what one waits for holds up no other. Where
it has a method `close`, that is called after the last record, in the same thread.
"""

from __future__ import annotations

import queue
import threading
import time
import weakref
from typing import Any

from rerail.tell.journal import Journal, Listener
from rerail.tell.secrets import redacted

_POLL_SECONDS = 0.1  # how soon a thread sees that it is to end


class Listeners:
    """A bounded queue and a thread for each listener. One that raises is taken off, and the journal says so.

    Where a queue is full, the record is dropped for its listener, and counted; the journal has it all the same.
    """

    def __init__(self, journal: Journal, listeners: tuple[Listener, ...], bound: int = 10_000) -> None:
        self._journal = journal
        self._lanes = [_Lane(one, bound) for one in listeners]
        journal.listeners.append(self.offer)
        weakref.finalize(self, _end, [lane.stop for lane in self._lanes]).atexit = False  # of a guard that is dropped

    @property
    def dropped(self) -> int:
        """Records that found a queue full, over all listeners."""
        return sum(lane.dropped for lane in self._lanes)

    def offer(self, record: dict[str, Any]) -> None:
        """Queue a record without ever waiting."""
        for lane in self._lanes:
            lane.offer(record)

    def report(self, tick: int) -> None:
        """Journal the listeners that failed since the last call; in the training thread, which owns the journal."""
        for lane in self._lanes:
            while lane.failures:
                data = {"listener": lane.name, "error": lane.failures.pop(0)}
                self._journal.write("note", tick, text="listener failed", data=data)

    def close(self, tick: int, timeout: float = 10.0) -> None:
        """Let the listeners finish what is queued, at most `timeout` seconds in all, and journal what was missed."""
        self._journal.listeners.remove(self.offer)
        ends = time.monotonic() + timeout
        _end([lane.stop for lane in self._lanes])
        for lane in self._lanes:
            lane.thread.join(max(0.0, ends - time.monotonic()))
        self.report(tick)
        for lane in self._lanes:
            if missed := lane.missed:
                data = {"listener": lane.name, "records": missed}
                self._journal.write("note", tick, text="listener missed records", data=data)
            elif lane.thread.is_alive():  # it has all, and is still at the last one, or at its own end
                self._journal.write("note", tick, text="listener did not end", data={"listener": lane.name})


class _Lane:
    """One listener, its queue and its thread."""

    def __init__(self, listener: Listener, bound: int) -> None:
        self.name = getattr(listener, "__name__", type(listener).__name__)
        self.failures: list[str] = []
        self.dropped = 0
        self.stop = threading.Event()
        self._listener, self._queue = listener, queue.Queue[dict[str, Any]](bound)
        self._off = False
        self.thread = threading.Thread(target=self._work, name=f"rerail-{self.name}", daemon=True)
        self.thread.start()

    @property
    def missed(self) -> int:
        """Records that the listener was not given; none of one that failed, of which the journal says that."""
        return 0 if self._off else self.dropped + self._queue.qsize()

    def offer(self, record: dict[str, Any]) -> None:
        if self._off:
            return
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def _work(self) -> None:
        self._guarded(self._listen)
        self._guarded(getattr(self._listener, "close", lambda: None))

    def _listen(self) -> None:
        while not (self.stop.is_set() and self._queue.empty()):
            try:
                record = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            self._listener(record)

    def _guarded(self, act: Any) -> None:  # noqa: ANN401 (a listener's own methods)
        try:
            act()
        except BaseException as error:  # noqa: BLE001 (sys.exit too: training goes on; the journal tells)
            self._off = True
            self.failures.append(redacted(f"{type(error).__name__}: {error}"))


def _end(stops: list[threading.Event]) -> None:
    for stop in stops:
        stop.set()
