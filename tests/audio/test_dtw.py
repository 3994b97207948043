from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rerail.audio.dtw import warping_path

sizes = st.integers(1, 9)


def sum_along(cost: NDArray[np.float64]) -> float:
    return float(cost[warping_path(cost)].sum())


def cheapest(cost: NDArray[np.float64]) -> float:
    """The same by trying every way."""

    @cache
    def to(row: int, column: int) -> float:
        before = [(row - 1, column - 1), (row - 1, column), (row, column - 1)]
        ways = [to(*one) for one in before if min(one) >= 0]
        return float(cost[row, column]) + min(ways, default=0.0)

    return to(cost.shape[0] - 1, cost.shape[1] - 1)


@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_no_way_is_cheaper(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).random((rows, columns))
    assert sum_along(cost) == pytest.approx(cheapest(cost))


@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_a_path_runs_from_corner_to_corner_and_leaves_nothing_out(rows: int, columns: int, seed: int) -> None:
    row, column = warping_path(np.random.default_rng(seed).random((rows, columns)))
    assert (row[0], column[0], row[-1], column[-1]) == (0, 0, rows - 1, columns - 1)
    steps = np.stack([np.diff(row), np.diff(column)])
    assert ((steps == 0) | (steps == 1)).all()
    assert (steps.sum(0) > 0).all()


def test_equal_recordings_are_matched_moment_by_moment() -> None:
    row, column = warping_path(1.0 - np.eye(5))
    assert row.tolist() == column.tolist() == [0, 1, 2, 3, 4]


def test_a_sound_that_is_held_is_matched_with_the_same_one_again_and_again() -> None:
    spoken, true = np.array([1.0, 2.0, 2.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    row, column = warping_path(np.abs(true[:, None] - spoken))
    assert row.tolist() == [0, 1, 1, 1, 2]
    assert column.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("cost", [np.zeros((0, 3)), np.array([[0.0, np.nan]]), np.array([[np.inf]])])
def test_what_cannot_be_compared_is_refused(cost: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="expected at least one cell, and finite ones"):
        warping_path(cost)
