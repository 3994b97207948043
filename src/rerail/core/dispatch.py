"""What is told when: a budget of messages a day, quiet hours, repeats merged, and the wait after a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timezone, tzinfo

from rerail.core.notice import Level, Notice

DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How much one service may tell, and when. Times are in seconds unless they say otherwise.

    `budget` messages go in any 24 hours; `kept_critical` of them are kept for critical ones, `kept_success` more for
    those of success. In `quiet_hours` (from, to, on the clock of `zone`) only critical ones go. Notices of a topic that
    was told less than `merging` ago wait, and become one message. Progress goes at most once in `progress_gap`.
    Where more than `separate` critical topics wait, they go together in one message.
    After a failure the next try waits `retry_first`, twice as long each time, at most `retry_cap`.
    """

    budget: int = 40
    kept_critical: int = 10
    kept_success: int = 5
    quiet_hours: tuple[time, time] | None = None
    zone: tzinfo = timezone.utc
    merging: float = 600.0
    progress_gap: float = 1800.0
    separate: int = 5
    retry_first: float = 2.0
    retry_cap: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A notice that waits, and how many like it were folded into it, of ticks `first` to `last`."""

    notice: Notice
    more: int = 0
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one service was given lately: `sent` holds (time, messages) of the last 24 hours, `told` topic -> time.

    `failures` in a row, the last at `failed_at`; `retry_after` is the wait that the service asked for, in seconds.
    """

    sent: tuple[tuple[float, int], ...] = ()
    told: Mapping[str, float] = field(default_factory=dict)
    progress_at: float = -math.inf
    quiet_until: float = -math.inf
    failures: int = 0
    failed_at: float = -math.inf
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One message to send now: one thing, or several (a digest), each with how many more like it.

    `ids` are all notices that it settles, those left out because newer progress replaces them included.
    It may take `room` messages at most. `until` is set on the last one that the budget allows: when the next may go.
    """

    level: Level
    items: tuple[Waiting, ...]
    ids: tuple[str, ...]
    room: int
    until: float | None = None


def advance(rule: Rule, state: State, waiting: Sequence[Waiting], now: float) -> Bundle | float:
    """Choose the next message to send now, or say when to look again (infinity: when something new waits).

    `waiting` is in the order in which it came. Call it again after each message, with the state that came of it.
    """
    raise NotImplementedError
