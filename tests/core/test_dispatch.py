"""What goes out when: tables of moments, and what holds for any sequence of notices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.core.dispatch import DAY, Bundle, Rule, State, Waiting, advance
from rerail.core.notice import Level, Notice

NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc).timestamp()
C, S, P = Level.CRITICAL, Level.SUCCESS, Level.PROGRESS


def notice(number: int, level: Level = C, topic: str = "") -> Waiting:
    told = Notice(
        level=level, code="nonfinite", topic=topic or f"t{number}", id=f"n{number}", time=NOON, tick=number, step=number
    )
    return Waiting(notice=told, first=number, last=number)


@dataclass
class Post:
    """Keeps what an outbox would keep, and sends whatever the policy says."""

    rule: Rule
    state: State = field(default_factory=State)
    waiting: list[Waiting] = field(default_factory=list)
    letters: list[tuple[float, Bundle]] = field(default_factory=list)

    def work(self, now: float) -> float:
        while isinstance(chosen := advance(self.rule, self.state, self.waiting, now), Bundle):
            self.letters.append((now, chosen))
            self.waiting = [row for row in self.waiting if row.notice.id not in chosen.ids]
            self.state = replace(
                self.state,
                sent=(*self.state.sent, (now, 1)),
                told={**self.state.told, **{item.notice.topic: now for item in chosen.items}},
                progress_at=now if chosen.level == P else self.state.progress_at,
            )
        assert chosen > now
        return chosen

    def drain(self, now: float) -> float:
        while self.waiting and math.isfinite(upon := self.work(now)):
            now = upon
        return now


def sent(*waiting: Waiting, rule: Rule | None = None, state: State | None = None, now: float = NOON) -> list[list[str]]:
    post = Post(rule or Rule(), state or State(), list(waiting))
    post.work(now)
    return [[item.notice.id for item in letter.items] for _, letter in post.letters]


def test_critical_goes_before_success_before_progress() -> None:
    assert sent(notice(1, P), notice(2, S), notice(3), notice(4)) == [["n3"], ["n4"], ["n2"], ["n1"]]


def test_only_the_newest_progress_is_told_and_it_settles_the_older() -> None:
    post = Post(Rule(), waiting=[notice(number, P) for number in range(5)])
    post.work(NOON)
    [(_, letter)] = post.letters
    assert ([item.notice.id for item in letter.items], len(letter.ids)) == (["n4"], 5)


def test_no_progress_from_before_an_end_is_told_after_it() -> None:
    end, later = notice(2, S), notice(3, P)
    end = replace(end, notice=replace(end.notice, code="finished"))
    later = replace(later, notice=replace(later.notice, time=NOON + 1))  # of whoever resumed it
    assert sent(notice(1, P), end, notice(4, P)) == [["n2"]]
    assert sent(end, later) == [["n2"], ["n3"]]


def test_progress_waits_out_its_gap() -> None:
    post = Post(Rule(progress_gap=600), waiting=[notice(1, P)])
    assert post.work(NOON) == math.inf
    post.waiting.append(notice(2, P))
    assert post.work(NOON + 100) == NOON + 600
    post.work(NOON + 600)
    assert [letter.ids for _, letter in post.letters] == [("n1",), ("n2",)]


def test_repeats_that_wait_become_one_message_with_a_count() -> None:
    chosen = advance(Rule(), State(), [notice(number, topic="nonfinite:loss/mel") for number in range(3, 21)], NOON)
    assert isinstance(chosen, Bundle)
    [item] = chosen.items
    assert (item.notice.id, item.more, item.first, item.last, len(chosen.ids)) == ("n3", 17, 3, 20, 18)


def test_repeats_of_what_was_told_lately_wait_and_are_merged() -> None:
    post = Post(Rule(merging=600), waiting=[notice(1, topic="same")])
    post.work(NOON)
    post.waiting += [notice(number, topic="same") for number in (2, 3, 4)]
    assert post.work(NOON + 10) == NOON + 600
    post.waiting.append(notice(5, topic="other"))
    post.work(NOON + 20)
    post.work(NOON + 600)
    assert [letter.ids for _, letter in post.letters] == [("n1",), ("n5",), ("n2", "n3", "n4")]


def test_many_topics_at_once_go_in_one_message() -> None:
    assert sent(*(notice(number) for number in range(7)), rule=Rule(separate=5)) == [[f"n{n}" for n in range(7)]]


def test_a_fault_that_comes_back_all_day_keeps_no_death_untold() -> None:
    post, end = Post(Rule(budget=40, merging=600)), NOON + 20 * 3600
    for number in range(20 * 6):
        post.waiting.append(notice(number, topic="nonfinite:loss/mel"))
        post.work(NOON + 600.0 * number)
    assert len(post.letters) == 35
    post.waiting.append(notice(999, topic="died"))
    assert post.work(end) == NOON + DAY + 600  # the fault is told again when there are fewer than 35 in a day
    assert post.letters[-1][0] == end
    assert [item.notice.topic for item in post.letters[-1][1].items] == ["died"]


@pytest.mark.parametrize(
    ("clock", "ends"),
    [
        ("2026-03-10T23:30+01:00", "2026-03-11T08:00+01:00"),
        ("2026-03-11T07:59+01:00", "2026-03-11T08:00+01:00"),
        ("2026-03-28T23:30+01:00", "2026-03-29T08:00+02:00"),  # clocks go forward in this night
        ("2026-10-24T23:30+02:00", "2026-10-25T08:00+01:00"),  # and back in this one
        ("2026-10-25T02:30+01:00", "2026-10-25T08:00+01:00"),
    ],
)
def test_in_quiet_hours_only_critical_goes(clock: str, ends: str) -> None:
    rule = Rule(quiet_hours=(time(22), time(8)), zone=ZoneInfo("Europe/Berlin"))
    now, end = (datetime.fromisoformat(moment).timestamp() for moment in (clock, ends))
    assert sent(notice(1, P), notice(2, S), notice(3), rule=rule, now=now) == [["n3"]]
    assert advance(rule, State(), [notice(1, P), notice(2, S)], now) == end
    assert sent(notice(1, P), notice(2, S), rule=rule, now=end) == [["n2"], ["n1"]]


def test_quiet_hours_may_lie_within_one_day() -> None:
    rule = Rule(quiet_hours=(time(11), time(13)))
    assert advance(rule, State(), [notice(1, S)], NOON) == NOON + 3600
    assert sent(notice(1, S), rule=rule, now=NOON + 3600) == [["n1"]]


def test_quiet_until_a_moment_lets_critical_through() -> None:
    state = State(quiet_until=NOON + 50)
    assert advance(Rule(), state, [notice(1, P), notice(2, S)], NOON) == NOON + 50
    assert sent(notice(1, P), notice(3), state=state) == [["n3"]]


def test_failures_wait_twice_as_long_each_time_up_to_the_cap() -> None:
    rule = Rule(retry_first=2, retry_cap=60)
    waits = [
        advance(rule, State(failures=count, failed_at=NOON), [notice(1)], NOON) for count in (1, 2, 3, 5, 6, 10**6)
    ]
    assert waits == [NOON + wait for wait in (2, 4, 8, 32, 60, 60)]


@pytest.mark.parametrize("asked", [7.0, 5000.0])
def test_the_wait_that_the_service_asks_for_wins(asked: float) -> None:
    state = State(failures=9, failed_at=NOON, retry_after=asked)
    assert advance(Rule(retry_cap=60), state, [notice(1)], NOON + 1) == NOON + asked
    assert isinstance(advance(Rule(), state, [notice(1)], NOON + asked), Bundle)


def test_some_of_the_budget_is_kept_for_what_matters_more() -> None:
    rule = Rule(budget=8, kept_critical=0.25, kept_success=0.25)
    for level, limit in ((P, 4), (S, 6), (C, 8)):
        used = tuple((NOON - 60.0 - n, 1) for n in range(limit))
        assert isinstance(advance(rule, State(sent=used[1:]), [notice(1, level)], NOON), Bundle)
        assert advance(rule, State(sent=used), [notice(1, level)], NOON) == used[-1][0] + DAY


def test_the_last_of_the_budget_says_when_the_next_may_go_and_the_rest_goes_in_one() -> None:
    post = Post(Rule(budget=3, separate=50), waiting=[notice(1), notice(2)])
    post.work(NOON)
    post.waiting += [notice(3), notice(4)]
    post.work(NOON + 60)
    last = post.letters[-1][1]
    assert ([item.notice.id for item in last.items], last.until) == (["n3", "n4"], NOON + DAY)
    post.waiting += [notice(number) for number in range(5, 30)]
    assert post.work(NOON + 120) == NOON + DAY
    post.work(NOON + DAY)
    assert post.letters[-1][1].ids == tuple(f"n{n}" for n in range(5, 30))
    assert [letter.until for _, letter in post.letters[:2]] == [None, None]


def test_a_long_letter_may_not_spend_more_than_there_is() -> None:
    used = ((NOON - 60, 37),)
    rooms = []
    for more in range(3):
        chosen = advance(Rule(budget=40), State(sent=(*used, (NOON, more))), [notice(1)], NOON)
        assert isinstance(chosen, Bundle)
        rooms.append((chosen.room, chosen.until is not None))
    assert rooms == [(2, False), (1, False), (1, True)]


def test_a_letter_of_several_messages_counts_as_several() -> None:
    assert advance(Rule(budget=4), State(sent=((NOON, 4),)), [notice(1)], NOON) == NOON + DAY


def test_ten_thousand_events_stay_within_the_budget() -> None:
    post, now = Post(Rule()), NOON
    for number in range(10_000):
        now += 5
        level = (C, P, P, S)[number % 4]
        post.waiting.append(notice(number, level, f"topic{number % 97}"))
        if number % 250 < 5:
            post.work(now)
    post.work(now)
    assert now - NOON < DAY
    assert 30 < len(post.letters) <= 40
    post.drain(now)
    told = [name for _, letter in post.letters for name in letter.ids]
    assert len(told) == len(set(told)) == 10_000


def test_a_rule_that_makes_no_sense_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"budget is 0; give 1 or more; .*retry_cap is 1"):
        Rule(budget=0, retry_first=2, retry_cap=1)
    with pytest.raises(ValueError, match="merging is nan"):
        Rule(merging=math.nan)


EVENTS = st.lists(
    st.tuples(st.floats(0, 20_000), st.sampled_from([C, C, S, P]), st.sampled_from("abcdefgh")), max_size=60
)
RULES = st.builds(
    Rule,
    budget=st.integers(1, 12),
    kept_critical=st.sampled_from([0.0, 0.25, 0.5]),
    kept_success=st.sampled_from([0.0, 0.125, 0.25]),
    quiet_hours=st.none() | st.just((time(22), time(8))) | st.just((time(9), time(11))),
    merging=st.sampled_from([0.0, 600.0, 7200.0]),
    separate=st.integers(1, 6),
)


@given(rule=RULES, events=EVENTS)
def test_never_over_budget_and_nothing_critical_lost(rule: Rule, events: list[tuple[float, Level, str]]) -> None:
    post, now, upon = Post(rule), NOON, math.inf
    for number, (gap, level, topic) in enumerate(events):
        arrives = now + gap
        while upon < arrives:
            upon = post.work(upon)
        now = arrives
        post.waiting.append(notice(number, level, f"{level}:{topic}"))
        upon = post.work(now)
    post.drain(now)
    moments = [moment for moment, _ in post.letters]
    assert all(sum(moment < other + DAY and other <= moment for other in moments) <= rule.budget for moment in moments)
    told = [name for _, letter in post.letters for name in letter.ids]
    assert len(told) == len(set(told))
    assert set(told) == {f"n{number}" for number in range(len(events))}
    for topic in {topic for _, level, topic in events if level == C}:
        mine = [number for number, (_, level, name) in enumerate(events) if (level, name) == (C, topic)]
        assert [number for number in (int(name[1:]) for name in told) if number in mine] == mine


@given(levels=st.lists(st.sampled_from([C, S]), min_size=1, max_size=30), budget=st.integers(1, 10))
def test_critical_notices_of_their_own_topics_keep_their_order(levels: list[Level], budget: int) -> None:
    post = Post(Rule(budget=budget))
    for number, level in enumerate(levels):
        post.waiting.append(notice(number, level))
        post.work(NOON + number)
    post.drain(NOON + len(levels))
    critical = [name for _, letter in post.letters if letter.level == C for name in letter.ids]
    assert critical == [f"n{number}" for number, level in enumerate(levels) if level == C]
