from __future__ import annotations

import math

import pytest

from rerail.core.rate import Rate, lower, upper

LIMITS = [  # Garwood 1936, two-sided 95 %, as published tables of Poisson limits have them
    (0, 0.0, 3.689),
    (1, 0.0253, 5.572),
    (2, 0.2422, 7.225),
    (5, 1.6235, 11.668),
    (10, 4.7954, 18.390),
    (20, 12.2165, 30.888),
    (100, 81.3639, 121.627),
]


@pytest.mark.parametrize(("count", "low", "high"), LIMITS)
def test_the_limits_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert lower(count) == pytest.approx(low, abs=1e-3)
    assert upper(count) == pytest.approx(high, abs=1e-3)


def test_a_rate_is_told_per_ten_thousand_ticks() -> None:
    rate = Rate(count=2, ticks=40_000)
    assert rate.rate == pytest.approx(0.5)
    assert (rate.low, rate.high) == (pytest.approx(0.0606, abs=1e-4), pytest.approx(1.806, abs=1e-3))


def test_nothing_watched_is_no_rate() -> None:
    rate = Rate(count=0, ticks=0)
    assert all(map(math.isnan, (rate.rate, rate.low, rate.high)))
