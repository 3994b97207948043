"""What is told when: a budget of messages a day, quiet hours, repeats merged, and the wait after a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, timezone, tzinfo

from rerail.core.notice import Level, Notice

DAY = 86_400.0  # seconds
_SHORTEST = 1.0  # seconds between two looks, whatever a service or a clock says
_DOUBLINGS = 30
_ENDS = frozenset({"finished", "stopped", "halt", "died"})  # codes after which no progress from before is news


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How much one service may tell, and when. Times are in seconds unless they say otherwise.

    `budget` messages go in any 24 hours; of these the share `kept_critical` is kept for critical ones, and
    `kept_success` more for those of success. The share `kept_news` is for critical ones of a topic that was not told in
    that time, so that no fault that comes back all day keeps a death untold. In `quiet_hours` (from, to, on the clock
    of `zone`) only critical ones go.
    Notices of a topic that was told less than `merging` ago wait, and become one message. Progress goes at most once in
    `progress_gap`; how often it comes is said by whoever makes it. Where more than `separate` topics wait, or more than
    the budget has room for, they go together in one message.
    After a failure the next try waits `retry_first`, twice as long each time, at most `retry_cap`.

    Raises:
        ValueError: naming every field that makes no sense.
    """

    budget: int = 40
    kept_critical: float = 0.25
    kept_success: float = 0.125
    kept_news: float = 0.125
    quiet_hours: tuple[time, time] | None = None
    zone: tzinfo = timezone.utc
    merging: float = 600.0
    progress_gap: float = 0.0
    separate: int = 5
    retry_first: float = 2.0
    retry_cap: float = 900.0

    def __post_init__(self) -> None:
        kept = self.kept_critical + self.kept_success
        wrong = [
            f"{name} is {value}; give {need}"
            for name, value, need, good in (
                ("budget", self.budget, "1 or more", self.budget >= 1),
                ("separate", self.separate, "1 or more", self.separate >= 1),
                (
                    "kept_critical + kept_success",
                    kept,
                    "shares of at most 1 together",
                    min(self.kept_critical, self.kept_success) >= 0 and kept <= 1,
                ),
                ("kept_news", self.kept_news, "a share below 1", 0 <= self.kept_news < 1),
                ("merging", self.merging, "0 or more", self.merging >= 0),
                ("progress_gap", self.progress_gap, "0 or more", self.progress_gap >= 0),
                ("retry_first", self.retry_first, "more than 0", self.retry_first > 0),
                ("retry_cap", self.retry_cap, "retry_first or more", self.retry_cap >= self.retry_first),
            )
            if not good
        ]  # a NaN is not good either
        if wrong:
            raise ValueError("a rule for messages makes no sense: " + "; ".join(wrong))


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

    `ids` are all notices that it settles, those left out because newer progress or an end replaces them included.
    It may take `room` messages at most. `until` is set on the last one that the budget allows: when the next may go.
    """

    level: Level
    items: tuple[Waiting, ...]
    ids: tuple[str, ...]
    room: int
    until: float | None = None


def advance(rule: Rule, state: State, waiting: Sequence[Waiting], now: float) -> Bundle | float:
    """Choose the next message to send now, or say when to look again (infinity: when something new waits).

    Critical ones go first, then success, then the newest progress, which settles the older. `waiting` is in the order
    in which it came. Call it again after each message, with the state that came of it.
    """
    if not waiting:
        return math.inf
    if (resumes := _resumes(rule, state)) > now:
        return resumes
    soonest = math.inf
    for level in sorted(Level, reverse=True):
        chosen = _of_level(rule, state, [row for row in waiting if row.notice.level == level], level, now)
        if isinstance(chosen, Bundle):
            return _overtaking(chosen, waiting)
        soonest = min(soonest, chosen)
    return soonest


def _overtaking(chosen: Bundle, waiting: Sequence[Waiting]) -> Bundle:
    """What tells of an end settles the progress that came before it."""
    end = max((item.notice.time for item in chosen.items if item.notice.code in _ENDS), default=-math.inf)
    older = [row.notice.id for row in waiting if row.notice.level == Level.PROGRESS and row.notice.time <= end]
    return replace(chosen, ids=tuple(dict.fromkeys((*chosen.ids, *older)))) if older else chosen


def _resumes(rule: Rule, state: State) -> float:
    """When the next try may be after the last failures; the service's own word wins."""
    if not state.failures:
        return -math.inf
    backoff = min(rule.retry_cap, rule.retry_first * 2.0 ** min(state.failures - 1, _DOUBLINGS))
    return state.failed_at + (backoff if state.retry_after is None else max(_SHORTEST, state.retry_after))


def _of_level(rule: Rule, state: State, rows: list[Waiting], level: Level, now: float) -> Bundle | float:
    if not rows:
        return math.inf
    if level == Level.CRITICAL:
        return _critical(rule, state, rows, now)
    opens = max(_opens(_limit(rule, level), state.sent, now), state.quiet_until, _quiet_ends(rule, now))
    if level == Level.PROGRESS:
        opens = max(opens, state.progress_at + rule.progress_gap)
    if opens > now:
        return opens
    if level == Level.PROGRESS:
        return _bundle(rule, state, rows[-1:], rows, now)
    return _by_topic(rule, state, rows, now)


def _critical(rule: Rule, state: State, rows: list[Waiting], now: float) -> Bundle | float:
    """All of them, or, of a budget that is nearly used up, those whose topic is news."""
    opens, again = _opens(rule.budget, state.sent, now), math.inf
    if opens > now:
        return opens
    if (later := _opens(rule.budget - int(rule.budget * rule.kept_news), state.sent, now)) > now:
        news = [row for row in rows if state.told.get(row.notice.topic, -math.inf) + DAY <= now]
        rows, again = news, later if len(news) < len(rows) else math.inf
    chosen = _by_topic(rule, state, rows, now) if rows else math.inf
    return chosen if isinstance(chosen, Bundle) else min(chosen, again)


def _by_topic(rule: Rule, state: State, rows: list[Waiting], now: float) -> Bundle | float:
    topics: dict[str, list[Waiting]] = {}
    for row in rows:
        topics.setdefault(row.notice.topic, []).append(row)
    opens = {topic: state.told.get(topic, -math.inf) + rule.merging for topic in topics}
    ready = [topic for topic in topics if opens[topic] <= now]
    if not ready:
        return min(opens.values())
    room = _limit(rule, rows[0].notice.level) - _used(state.sent, now)
    if len(topics) > room or len(ready) > rule.separate:  # one message for all of them, those of the merging window too
        return _bundle(rule, state, [_folded(group) for group in topics.values()], rows, now)
    return _bundle(rule, state, [_folded(topics[ready[0]])], topics[ready[0]], now)


def _folded(rows: Sequence[Waiting]) -> Waiting:
    """The first of these, and how many more there are."""
    more = sum(row.more + 1 for row in rows) - 1
    first, last = min(row.first for row in rows), max(row.last for row in rows)
    return Waiting(notice=rows[0].notice, more=more, first=first, last=last)


def _bundle(rule: Rule, state: State, items: Sequence[Waiting], settled: Sequence[Waiting], now: float) -> Bundle:
    left = rule.budget - _used(state.sent, now)
    return Bundle(
        level=items[0].notice.level,
        items=tuple(items),
        ids=tuple(row.notice.id for row in settled),
        room=max(1, left - 1),  # so that the last one goes by itself, and can say that it is the last
        until=_opens(rule.budget, (*state.sent, (now, 1)), now) if left == 1 else None,
    )


def _limit(rule: Rule, level: Level) -> int:
    """How many messages there may have been in 24 hours for one more of this level to go."""
    shares = {Level.CRITICAL: 0.0, Level.SUCCESS: rule.kept_critical}
    return rule.budget - int(rule.budget * shares.get(level, rule.kept_critical + rule.kept_success))


def _used(sent: Sequence[tuple[float, int]], now: float) -> int:
    return sum(messages for moment, messages in sent if moment + DAY > now)


def _opens(limit: int, sent: Sequence[tuple[float, int]], now: float) -> float:
    """The first moment from now on at which fewer than `limit` messages were sent in the 24 hours before it."""
    used, opens = _used(sent, now), now
    if limit <= 0:
        return math.inf
    for moment, messages in sorted(sent):
        if used < limit:
            break
        if moment + DAY > now:
            used, opens = used - messages, moment + DAY
    return opens


def _quiet_ends(rule: Rule, now: float) -> float:
    """When the quiet hours end in which `now` lies; the past where it lies in none."""
    if rule.quiet_hours is None:
        return -math.inf
    begin, end = rule.quiet_hours
    local = datetime.fromtimestamp(now, rule.zone)
    clock = local.time()
    quiet = begin <= clock < end if begin <= end else (clock >= begin or clock < end)
    if not quiet:
        return -math.inf
    day = local.date() + timedelta(days=0 if clock < end else 1)
    ends = datetime.combine(day, end, tzinfo=rule.zone).replace(fold=local.fold)
    return max(ends.timestamp(), now + _SHORTEST)  # where clocks are put back, the end may seem to be past
