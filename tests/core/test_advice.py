from __future__ import annotations

import pytest

from rerail.core.advice import RULES, Advice, Expect, advise
from rerail.core.counsel import Counsel
from rerail.core.finding import Finding
from rerail.core.reading import Reading


def reading(tick: int = 7, **values: float) -> Reading:
    return Reading(tick=tick, values={name.replace("_", "/"): value for name, value in values.items()})


def test_numbers_come_from_the_reading() -> None:
    given = advise(Finding(code="loss.divergence", signal="loss/mel"), reading(lr=3e-4))
    assert given is not None
    assert (given.setting, given.before, given.after) == ("learning rate", "0.0003", "0.0001")
    assert given.expect == Expect(signal="loss/mel", direction="falls", within=1000)


def test_numbers_come_from_the_evidence() -> None:
    slow = Finding(code="time.slow", signal="time/step", evidence={"time/step": 0.4, "usual": 0.1})
    given = advise(slow, reading())
    assert given is not None
    assert (given.before, given.after) == ("0.4", "0.1")


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_gives_advice_without_a_number_at_hand(code: str) -> None:
    given = advise(Finding(code=code, signal="some/signal"), reading())
    assert given is not None
    assert all((given.setting, given.before, given.after, given.why, given.expect.signal))
    assert given.expect.direction in {"falls", "rises"}
    assert given.expect.within > 0


def test_a_lowered_rate_is_judged_by_what_it_was_lowered_for() -> None:
    given = advise(Finding(code="rate.lowered", signal="eval/rank"), reading())
    assert given is not None
    assert given.expect.signal == "eval/rank"


def test_an_unknown_code_has_no_advice() -> None:
    assert advise(Finding(code="my.own", signal="x"), reading()) is None


@pytest.mark.parametrize(
    ("direction", "later", "seen"),
    [("falls", 0.5, True), ("falls", 0.99, False), ("rises", 2.0, True), ("rises", 0.5, False)],
)
def test_whether_it_helped_is_told_when_its_ticks_have_passed(direction: str, later: float, seen: bool) -> None:  # noqa: FBT001
    expect = Expect(signal="loss/x", direction=direction, within=20)
    advice = Advice(setting="s", before="1", after="2", why="w", expect=expect)
    counsel = Counsel().give(10, "loss.still", "loss/x", advice, reading(10, loss_x=1.0))
    due = []
    for tick in range(11, 41):
        counsel, came = counsel.read(reading(tick, loss_x=later))
        due += [(tick, one) for one in came]
    ((tick, one),) = due
    assert (tick, one.of, one.before, one.now, one.seen) == (30, 10, 1.0, later, seen)
    assert ("loss.still", "loss/x") in counsel.given


def test_a_signal_that_is_never_read_again_says_nothing() -> None:
    advice = Advice(
        setting="s", before="1", after="2", why="w", expect=Expect(signal="eval/x", direction="falls", within=5)
    )
    counsel = Counsel().give(1, "c", "eval/x", advice, reading(1, eval_x=1.0))
    _, (one,) = counsel.read(reading(6))
    assert one.seen is None
