"""What waits to be told, on disk: one queue a service, in one SQLite file that survives a kill at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import final

from rerail.core.dispatch import Bundle, State, Waiting
from rerail.core.notice import Notice
from rerail.tell.services.service import Letter, Service


@final
class Outbox:
    """A bounded queue a service. It may be used from several threads and processes.

    Its methods do not raise where the disk is full or the file is locked: they go on in memory, `trouble` says what
    is wrong, and what was held is written when the file can be written again.
    """

    def __init__(self, path: Path, services: tuple[str, ...], bound: int = 1000) -> None:
        raise NotImplementedError

    @property
    def trouble(self) -> str:
        """What keeps it from the disk; empty when nothing does."""
        raise NotImplementedError

    def put(self, *notices: Notice) -> int:
        """Queue for every service what was never put before (by id), and return how many that were."""
        raise NotImplementedError

    def waiting(self, service: str) -> tuple[Waiting, ...]:
        """What waits for a service, in the order in which it came."""
        raise NotImplementedError

    def state(self, service: str, now: float) -> State:
        """What `dispatch.advance` must know of a service."""
        raise NotImplementedError

    def left_out(self, service: str) -> int:
        """How many notices of progress were never told for want of room."""
        raise NotImplementedError

    def sending(self, bundle: Bundle, service: str, now: float) -> None:
        """Count a message against the budget before it goes, so that a kill between cannot exceed it."""
        raise NotImplementedError

    def sent(self, bundle: Bundle, service: str, now: float, messages: int = 1) -> None:
        """Settle what went."""
        raise NotImplementedError

    def failed(
        self, bundle: Bundle, service: str, now: float, seconds: float | None = None, *, unsure: bool = False
    ) -> None:
        """Keep it for later. Where it is unsure whether it arrived, it counts, and progress is not told again."""
        raise NotImplementedError

    def refused(self, bundle: Bundle, service: str) -> None:
        """Settle what this service will never take."""
        raise NotImplementedError

    def quiet(self, until: float) -> None:
        """Hold everything but critical notices until a moment, for all services."""
        raise NotImplementedError

    def remember(self, key: str, value: str) -> None:
        """Keep a small text across restarts: how far the journal was read, the next update's number."""
        raise NotImplementedError

    def recall(self, key: str) -> str | None:
        """What was remembered under a key."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError


def deliver(outbox: Outbox, service: Service, bundle: Bundle, letter: Letter, now: float) -> str:
    """Send one bundle in its words and write down what came of it; the reason where it did not go, else empty."""
    raise NotImplementedError
