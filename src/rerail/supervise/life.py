"""Whether the process that trains is still there, and what is known of its end."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rerail.core.extras import need
from rerail.process import place
from rerail.tell import fields

CLOCK = 5.0  # seconds; so far two readings of when a process began may lie apart
_EXIT_FIELD = 49  # of /proc/PID/stat behind the name: the exit code of a process that nobody has waited for

Seen = Literal["alive", "gone", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a process ended, as far as the system tells others than its parent."""

    exit_code: int | None = None
    signal: str = ""


class Life:
    """Follows the process of a run. A zombie, which only waits for its parent, is gone."""

    def __init__(self) -> None:
        self._psutil: Any = need("psutil", extra="notify")
        self._process: Any = None
        self._elsewhere = True  # nothing is known of a process, or its number holds on another machine
        self.end = End()
        self._kills = _oom_kills()

    def follow(self, given: Mapping[str, object], *, at: float) -> None:
        """Follow the process that a note of the journal names; `at` is when the note was written."""
        pid, began = fields.whole(given, "pid"), fields.number(given.get("began"))
        self.end, self._process = End(), None
        self._elsewhere = pid <= 0 or fields.text(given, "place") != place()
        if self._elsewhere:
            return
        try:
            process = self._psutil.Process(pid)
            created = process.create_time()
        except self._psutil.Error:
            return
        same = abs(created - began) < CLOCK if began is not None else created < at + CLOCK
        self._process = process if same else None

    def look(self) -> Seen:
        """Say whether it is there."""
        if self._elsewhere:
            return "unknown"
        if self._process is None:
            return "gone"
        try:
            if self._process.is_running() and self._process.status() != self._psutil.STATUS_ZOMBIE:
                return "alive"
        except self._psutil.Error:  # gone between the two looks
            return "gone"
        self.end = _end(self._process.pid)
        return "gone"

    def hint(self) -> str:
        """What else is known: whether the system has killed a process for memory meanwhile."""
        kills = _oom_kills() - self._kills
        if kills <= 0:
            return ""
        return (
            "The system has killed a process of this machine for want of memory meanwhile; it may have been this one."
        )


def _end(pid: int) -> End:
    """Read how a zombie ended; nothing where the system does not say."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf8", errors="replace").rpartition(")")[2].split()
        status = int(told[_EXIT_FIELD])
    except (OSError, IndexError, ValueError):
        return End()
    if number := status & 0x7F:
        return End(signal=signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}")
    return End(exit_code=status >> 8)


def _oom_kills() -> int:
    """How many processes the system has killed for want of memory since it was started; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="utf8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
