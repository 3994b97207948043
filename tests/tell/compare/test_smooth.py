from __future__ import annotations

import math
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st

from rerail.tell.compare.smooth import smoothed


def test_the_median_of_the_window_that_ends_there() -> None:
    assert smoothed([0, 1, 2, 3, 4], [5, 1, 9, 2, 2], 3) == [5, 3, 5, 2, 2]


def test_a_value_that_is_not_finite_is_not_hidden() -> None:
    found = smoothed([0, 1, 2, 3, 4], [1, math.nan, 2, 3, 4], 3)
    assert math.isnan(found[1])
    assert found[0] == 1
    assert found[2:] == [1.5, 2.5, 3]


def test_half_of_a_window_lost_is_no_value() -> None:
    assert math.isnan(smoothed([0, 1, 2, 3], [math.nan, math.nan, 1.0, 2.0], 4)[3])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(1, 10))
def test_it_is_the_plain_median(values: list[float], width: int) -> None:
    places = list(range(len(values)))
    plain = [median(values[max(0, end - width + 1) : end + 1]) for end in places]
    assert smoothed(places, values, width) == plain
