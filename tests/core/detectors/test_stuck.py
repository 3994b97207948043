from __future__ import annotations

from judging import Values, codes
from rerail.core.detectors import Stuck

VARIED: list[Values] = [{"batch/same": 0.0}] * 30
SAME: list[Values] = [{"batch/same": float(n)} for n in range(1, 50)]


def numbered(values: list[Values]) -> list[tuple[int, Values]]:
    return list(enumerate(values, 1))


def test_a_loader_that_stops_moving_is_told_once() -> None:
    assert codes(Stuck(), numbered([*VARIED, *SAME])) == ["input.stuck"]


def test_training_on_one_batch_from_the_start_is_meant() -> None:
    assert codes(Stuck(), numbered(SAME)) == []


def test_a_batch_that_comes_a_few_times_says_nothing() -> None:
    assert codes(Stuck(), numbered([*VARIED, *SAME[:5], *VARIED])) == []


def test_one_that_never_moves_again_ends_the_run() -> None:
    readings = numbered([*VARIED, *SAME, {"batch/same": 50.0}, {"batch/same": 51.0}])
    assert codes(Stuck(), readings) == ["input.stuck", "input.stopped"]


def test_a_reading_without_a_batch_says_nothing() -> None:
    assert codes(Stuck(), numbered([*([{}] * 30), *SAME])) == []
