"""What people are told of a run: its journal, followed record by record, becomes notices."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.notice import Notice
from rerail.tell.fields import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often progress is told: after so many optimizer steps, and at most once in so many minutes."""

    every_steps: int = 100
    every_minutes: float = 10.0


class Notices:
    """Follows one run; pure: time is what the records say."""

    def __init__(self, run: str, cadence: Cadence = Cadence()) -> None:  # noqa: B008 (frozen)
        self.run, self.cadence = run, cadence

    def take(self, record: Record) -> list[Notice]:
        """Take one journal record; return what it makes known."""
        raise NotImplementedError

    def rest(self) -> list[Notice]:
        """Return what was gathered and waits for records that will not come: for the end of a journal."""
        raise NotImplementedError

    def progress(self) -> Notice:
        """Return how the run stands now, due or not (for /status)."""
        raise NotImplementedError

    def died(self, *, time: float, exit_code: int | None = None, signal: str = "") -> Notice:
        """Return that the process is gone and the journal has no end; `signal` is its name (`SIGKILL`)."""
        raise NotImplementedError

    def silent(self, *, time: float, seconds: float) -> Notice:
        """Return that the process is alive and has written nothing for so long."""
        raise NotImplementedError

    def restarted(self, *, time: float, attempt: int, most: int) -> Notice:
        """Return that the supervisor has started the run again, the `attempt`th time of at most `most`."""
        raise NotImplementedError
