from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.tell.report import curves

LOST = st.sampled_from([math.nan, math.inf, -math.inf, 1e300])


@given(st.lists(st.floats(-1e99, 1e99) | LOST, min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_extremes_order_and_limit(values: list[float], limit: int) -> None:
    xs = [float(x) for x in range(len(values))]
    curve = curves.thin(xs, values, limit)
    finite = [value for value in values if abs(value) < 1e100]
    drawn = [y for y in curve.y if math.isfinite(y)]
    assert len(curve.x) <= limit
    assert list(curve.x) == sorted(curve.x)
    assert bool(curve.beyond) == (len(finite) < len(values))
    if finite:
        assert (min(drawn), max(drawn)) == pytest.approx((min(finite), max(finite)), rel=0, abs=1e-100)


def test_a_hundred_thousand_readings_become_two_thousand_points_that_show_the_spike() -> None:
    values = [1.0 + (tick % 7) / 10 for tick in range(100_000)]
    values[77_777], values[50_000] = 99.0, math.nan
    curve = curves.thin(range(100_000), values)
    assert len(curve.x) <= 2000
    assert max(y for y in curve.y if math.isfinite(y)) == 99.0
    assert curve.beyond == (50_000,)


def test_the_line_breaks_where_a_value_is_lost_and_no_point_vanishes() -> None:
    curve = curves.thin([1, 2, 3, 4, 5], [1.0, math.inf, 2.0, math.nan, 3.0])
    assert [math.isnan(y) for y in curve.y] == [False, True, False, True, False]
    assert curve.beyond == (2, 4)
    assert curve.lonely == ((1, 1.0), (3, 2.0), (5, 3.0))


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1.0, 2.0], "linear"),
        ([0.01, 5.0, math.nan], "log"),
        ([0.0, 1.0, 2.0], "linear"),
        ([0.0, 1.0, 1e9, -1.0], "symlog"),
        ([0.0, 0.0, 5.0], "linear"),
        ([math.nan, math.inf], "linear"),
        ([], "linear"),
    ],
)
def test_the_scale_fits_the_range(values: list[float], scale: str) -> None:
    assert curves.scale(values) == scale


def test_what_is_too_small_for_any_axis_is_zero() -> None:
    assert curves.thin([1, 2, 3], [1e-310, -5e-324, 1e-45]).y == (0.0, 0.0, 1e-45)
