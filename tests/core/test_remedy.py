from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rerail.core.knobs import NEUTRAL, Knobs, Precision
from rerail.core.remedy import Dose, Ladder, Ledger, Move, Remedy

SLOW = Remedy(move=Move.REWIND, knobs=Knobs(lr_scale=0.01), hold=3, ramp=4)
LADDER = Ladder(rungs=(Remedy(move=Move.SKIP, times=2), SLOW), window=10)


def climb(ticks: list[int]) -> list[int]:
    ledger, rungs = Ledger(), []
    for tick in ticks:
        ledger, rung = ledger.answer("x", LADDER, tick)
        rungs.append(rung)
    return rungs


def test_repeats_climb_and_end_in_a_halt() -> None:
    assert climb([1, 2, 3, 4, 5]) == [0, 0, 1, 2, 2]
    assert LADDER.remedy(2).move is Move.HALT


def test_a_spent_rung_stays_spent_within_an_episode_and_calm_ends_it() -> None:
    assert climb([1, 2, 12, 13]) == [0, 0, 1, 2]
    assert climb([1, 2, 13, 14]) == [0, 0, 0, 0]


def test_a_dose_holds_then_ramps_back_and_ends() -> None:
    dose = Dose(since=10, remedy=SLOW)
    course = [dose.at(tick).lr_scale for tick in range(11, 20)]
    assert course[:3] == [0.01, 0.01, 0.01]
    assert all(early < late for early, late in pairwise(course[2:7]))
    assert course[7:] == [1.0, 1.0]
    assert not dose.ended(17)
    assert dose.ended(18)


def test_precision_holds_to_the_end_of_the_ramp() -> None:
    dose = Dose(since=0, remedy=Remedy(move=Move.SKIP, knobs=Knobs(precision=Precision.FP32), hold=2, ramp=2))
    assert [dose.at(tick).precision.name for tick in range(1, 6)] == ["FP32"] * 4 + ["AS_RUN"]


@given(st.lists(st.integers(0, 30), max_size=6), st.integers(0, 60))
def test_doses_together_are_as_cautious_as_each_and_leave_nothing_behind(starts: list[int], tick: int) -> None:
    ledger = Ledger(doses=tuple(Dose(since=start, remedy=SLOW) for start in starts))
    assert all(ledger.knobs(tick).lr_scale <= dose.at(tick).lr_scale for dose in ledger.doses)
    end = max(starts, default=0) + SLOW.hold + SLOW.ramp + 1
    assert ledger.knobs(end) == NEUTRAL
    assert ledger.without_ended(end).doses == ()


def test_only_a_remedy_with_knobs_leaves_a_dose() -> None:
    ledger, _ = Ledger().answer("x", LADDER, 1)
    assert ledger.doses == ()
    ledger, _ = ledger.answer("x", LADDER, 2)
    ledger, rung = ledger.answer("x", LADDER, 3)
    assert rung == 1
    assert ledger.knobs(4).lr_scale == 0.01
