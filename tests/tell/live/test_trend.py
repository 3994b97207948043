from __future__ import annotations

import math
import random

from rerail.tell.live.trend import POINTS, SIGNALS, Trend


def test_a_short_run_has_every_value() -> None:
    trend = Trend()
    for tick in range(1, 6):
        trend.add(tick, tick, {"loss/a": tick / 2, "weight/norm": 1.0})
    assert trend.since(0) == {"loss/a": [(tick, tick / 2, tick / 2, tick / 2, 0) for tick in range(1, 6)]}
    assert trend.since(4) == {"loss/a": [(5, 2.5, 2.5, 2.5, 0)]}
    assert trend.since(5) == {}


def test_a_long_run_keeps_its_extremes_its_mean_and_what_was_not_finite() -> None:
    noise, trend, values = random.Random(3), Trend(), []
    for tick in range(30_000):
        value = math.nan if tick % 1000 == 7 else 900.0 if tick == 12_345 else noise.uniform(1, 2)
        values.append(value)
        trend.add(tick, tick, {"loss/a": value})
    (rows,) = trend.since(-1).values()
    finite = [value for value in values if math.isfinite(value)]
    assert POINTS <= len(rows) <= 2 * POINTS
    assert max(high for _, _, _, high, _ in rows if high is not None) == 900.0
    assert min(low for _, _, low, _, _ in rows if low is not None) == min(finite)
    assert sum(lost for *_, lost in rows) == 30
    assert [row[0] for row in rows] == list(range(0, 30_000, trend.stride))
    assert math.isclose(rows[1][1] or 0.0, sum(values[trend.stride : 2 * trend.stride]) / trend.stride)


def test_a_tick_that_comes_again_after_a_resume_is_told_again() -> None:
    trend = Trend()
    for number, tick in enumerate([1, 2, 3, 2], 1):
        trend.add(number, tick, {"loss/a": float(number)})
    assert trend.since(3) == {"loss/a": [(2, 3.0, 2.0, 4.0, 0)]}


def test_numbers_that_overflow_a_sum_are_shown_all_the_same() -> None:
    trend = Trend()
    trend.add(1, 1, {"loss/a": 1.7e308})
    trend.add(2, 1, {"loss/a": 1.7e308})
    assert trend.since(0) == {"loss/a": [(1, 1.7e308, 1.7e308, 1.7e308, 0)]}


def test_names_without_end_are_counted_and_left_out() -> None:
    trend = Trend()
    trend.add(1, 1, {f"loss/{number}": 1.0 for number in range(SIGNALS + 5)})
    assert len(trend.since(0)) == SIGNALS
    assert len(trend.left_out) == 5
