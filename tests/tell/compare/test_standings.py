from __future__ import annotations

import pytest

from rerail.tell.compare import standings, student
from rerail.tell.compare.levels import At, Contrast

STEPS = At(axis="steps", place=1000)


def contrast(first: list[float], second: list[float]) -> Contrast:
    return Contrast(signal="loss/a", at=STEPS, first="A", second="B", difference=student.difference(first, second))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (STEPS, "equal steps (1000 steps)"),
        (At(axis="samples", place=16000), "equal samples (16000 samples)"),
        (At(axis="time", place=29.31), "equal time (29.3 s)"),
    ],
)
def test_a_place_in_words(at: At, said: str) -> None:
    assert standings.place(at) == said


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ([1.0], [2.0, 3.0], "no test"),
        ([1.0, 2.0, 3.0], [7.0, 8.0, 9.0], "nothing: p is 0.1 or more"),
        ([1.0, 2.0, 3.0, 4.0], [7.0, 8.0, 9.0, 9.5], "B is higher"),
        ([7.0, 8.0, 9.0, 9.5], [1.0, 2.0, 3.0, 4.0], "B is lower"),
        ([1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.5, 4.5], "nothing"),
    ],
)
def test_what_a_difference_says(first: list[float], second: list[float], said: str) -> None:
    assert standings.says(contrast(first, second)) == said


def test_tests_are_counted() -> None:
    few, more = contrast([1.0, 2.0], [3.0, 4.0]), contrast([1.0, 2.0, 3.0, 4.0], [7.0, 8.0, 9.0, 9.5])
    assert standings.tests([few, few]).startswith("2 tests (permutation). With so few seeds no test can give p < 0.05")
    assert standings.tests([more, few]).startswith("2 tests (permutation), not corrected for their number")
    assert standings.tests([contrast([1.0], [2.0])]) == ""
