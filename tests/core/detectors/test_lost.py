from __future__ import annotations

import pytest

from judging import Values, codes, every, told
from rerail.core.detectors import Lost
from rerail.core.reading import Reading


def counts(tick: int, begin: int, usual: float, now: float) -> Values:
    return {"grad/norm": 1.0, "grad/lost": usual if tick < begin else now}


@pytest.mark.parametrize(
    ("begin", "now", "ticks", "expected"),
    [
        (100, 3.0, 114, ["gradient.lost"]),  # 15 ticks
        (100, 3.0, 113, []),
        (100, 3.0, 150, ["gradient.lost", "gradient.lost"]),  # and again at 45
        (100, 3.0, 400, ["gradient.lost", "gradient.lost"]),  # then it is the new usual
        (40, 3.0, 120, []),  # cut off before 50 ticks were seen: it was so from the start
        (100, 1.0, 300, []),  # no more than was missing before
    ],
)
def test_what_is_missing_more_than_before_is_found_once_it_has_lasted(
    begin: int, now: float, ticks: int, expected: list[str]
) -> None:
    assert codes(Lost(), every(ticks, lambda tick: counts(tick, begin, 1.0, now))) == expected


def test_a_branch_that_is_left_out_now_and_then_is_usual() -> None:
    assert codes(Lost(), every(300, lambda tick: counts(tick % 40, 38, 0.0, 4.0))) == []


def test_an_absence_that_ends_is_forgotten() -> None:
    readings = every(400, lambda tick: counts(tick, 0, 0.0, 4.0 if 100 <= tick < 110 or tick >= 300 else 0.0))
    assert [tick for tick, _, _ in told(Lost(), readings)] == [314, 344]


def test_a_gradient_of_zero_is_another_belief() -> None:
    assert (
        codes(Lost(), every(300, lambda tick: {"grad/norm": float(tick < 100), "grad/lost": 8.0 * (tick >= 100)})) == []
    )


def test_no_state_is_trusted_meanwhile() -> None:
    detector = Lost()
    memory = detector.init()
    for tick, values in every(105, lambda tick: counts(tick, 100, 0.0, 2.0)):
        memory, _ = detector.update(memory, Reading(tick=tick, values=values))
        assert detector.wary(memory) == (tick >= 100)
