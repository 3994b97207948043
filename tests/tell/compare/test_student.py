from __future__ import annotations

import math

import pytest

from rerail.tell.compare import student


@pytest.mark.parametrize(
    ("freedom", "t"),
    [(1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (10, 2.22814), (30, 2.04227), (1000, 1.96234)],
)
def test_quantiles_are_those_of_the_printed_tables(freedom: int, t: float) -> None:
    assert student.quantile(0.975, freedom) == pytest.approx(t, abs=1e-5)
    assert student.survival(t, freedom) == pytest.approx(0.025, abs=1e-6)


def test_one_degree_of_freedom_is_the_cauchy_distribution() -> None:
    for t in (0.0, 0.3, 1.0, 8.0):
        assert student.survival(t, 1) == pytest.approx(0.5 - math.atan(t) / math.pi, abs=1e-12)


def test_the_interval_of_a_mean_by_hand() -> None:
    found = student.mean([1.0, 2.0, 3.0])  # s = 1, half = 4.30265 / sqrt(3)
    assert (found.mean, found.count) == (2.0, 3)
    assert (found.low, found.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-5)


@pytest.mark.parametrize("values", [[1.5], [0.5, 0.5, 0.5], [1.0, math.nan], [1.0, math.inf]])
def test_without_a_spread_there_is_no_interval(values: list[float]) -> None:
    found = student.mean(values)
    assert (found.low, found.high) == (None, None)


def test_welch_by_hand() -> None:
    found = student.difference([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])  # errors 1/3 + 4/3, freedom 50/17
    assert found.mean == 4.0
    assert (found.low, found.high) == pytest.approx((-0.15530, 8.15530), abs=1e-4)  # as scipy.stats.ttest_ind gives it


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        ([1, 2, 3], [4, 6, 8], 2 / 20),  # apart: this split and its mirror
        ([1, 2, 5], [3, 6, 8], 4 / 20),  # sums of three of 25 that are 17 or more: 17, 19; and their mirrors
        ([1, 1], [1, 1], 1.0),
        ([0, 1], [3.0, 3.1, 3.2], 1 / 10),  # no mirror: the groups are not equal
        ([1, 2, 3, 4], [5, 6, 7, 8], 2 / 70),
    ],
)
def test_the_exact_test_by_hand(first: list[float], second: list[float], p: float) -> None:
    assert student.permutation(first, second) == pytest.approx(p)
    assert student.permutation(second, first) == pytest.approx(p)


def test_three_seeds_a_side_can_show_nothing_and_four_can() -> None:
    three = student.difference([1.0, 1.1, 1.2], [9.0, 9.1, 9.2])
    assert three.p == three.least == pytest.approx(0.1)
    assert not three.shown
    assert student.difference([1.0, 1.1, 1.2, 1.3], [9.0, 9.1, 9.2, 9.3]).shown
    assert student.enough() == 4


def test_one_run_a_side_has_a_difference_and_no_test() -> None:
    found = student.difference([1.0], [2.0, 2.5])
    assert found.mean == 1.25
    assert (found.low, found.high, found.p, found.shown) == (None, None, None, False)


def test_of_many_runs_welchs_test_takes_over() -> None:
    first, second = [float(one) for one in range(10)], [one + 9.0 for one in range(10)]
    found = student.difference(first, second)
    assert found.test == "Welch's t"
    assert found.p is not None
    assert found.p < 1e-5
    assert student.difference(first, first).p == pytest.approx(1.0)


def test_numbers_that_are_not_finite_are_not_tested() -> None:
    found = student.difference([1.0, math.nan], [2.0, 3.0])
    assert math.isnan(found.mean)
    assert found.p is None


@pytest.mark.parametrize("unit", [1e-150, 1e-85, 1e80, 1e200])
def test_the_size_of_the_numbers_does_not_matter(unit: float) -> None:
    one, other = [1.0, 2.0, 4.0], [6.0, 7.0, 9.5]
    plain, found = student.difference(one, other), student.difference(*([unit * x for x in xs] for xs in (one, other)))
    assert found.p == plain.p
    assert found.low == pytest.approx(unit * (plain.low or 0.0), rel=1e-9)
    assert student.mean([unit * x for x in one]).high == pytest.approx(unit * (student.mean(one).high or 0.0), rel=1e-9)
