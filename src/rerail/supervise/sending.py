"""Sends what waits in the outbox: a thread a service, so that one that does not answer keeps no other waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from rerail.core.dispatch import Bundle, Rule, advance
from rerail.supervise.log import Log
from rerail.tell import secrets
from rerail.tell.outbox import Outbox, deliver
from rerail.tell.services import Letter, Service

LOOK_SECONDS = 1.0  # how soon it sees what is new, where nobody says so
AGAIN_SECONDS = 60.0  # after an error of ours

Worded = Callable[[Bundle], Letter]


class Sending:
    """Sends for all services until it is stopped."""

    def __init__(self, outbox: Outbox, services: Sequence[Service], rule: Rule, worded: Worded, log: Log) -> None:
        self._outbox, self._services, self._rule, self._worded, self._log = outbox, services, rule, worded, log
        self._stop, self._new = threading.Event(), threading.Condition()
        self._busy: set[str] = set()
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"rerail-{one.name}", daemon=True) for one in services
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that something new waits."""
        with self._new:
            self._new.notify_all()

    @property
    def busy(self) -> bool:
        """Say whether a message is under way."""
        return bool(self._busy)

    def stop(self, seconds: float = 5.0) -> None:
        """End the threads; one that waits for an answer is left behind."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(seconds)

    def _work(self, service: Service) -> None:
        while not self._stop.is_set():
            try:
                wait = self._once(service)
            except Exception as error:  # noqa: BLE001 (whatever is wrong with one message, the others are told)
                self._log.note("sending failed", service=service.name, error=secrets.traced(error)[-2000:])
                wait = LOOK_SECONDS
                self._stop.wait(AGAIN_SECONDS)
            with self._new:
                if wait and not self._stop.is_set():
                    self._new.wait(min(wait, LOOK_SECONDS))

    def _once(self, service: Service) -> float:
        """Send what is due; return for how long there is nothing to do."""
        now = time.time()
        due = advance(self._rule, self._outbox.state(service.name, now), self._outbox.waiting(service.name), now)
        if not isinstance(due, Bundle):
            return max(0.0, due - now)
        self._busy.add(service.name)
        try:
            reason = deliver(self._outbox, service, due, self._worded(due))
        finally:
            self._busy.discard(service.name)
        told = [one.notice.code for one in due.items]
        more = sum(one.more for one in due.items)
        self._log.note("failed" if reason else "sent", service=service.name, codes=told, merged=more, why=reason)
        return 0.0
