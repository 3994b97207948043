from __future__ import annotations

import pytest

from judging import codes
from rerail.core.detectors import Emptied


@pytest.mark.parametrize(
    ("signal", "count", "expected"),
    [
        ("input/emptied", 99.0, []),
        ("input/emptied", 100.0, ["input.exhausted"]),
        ("input/rescaled", 29.0, []),
        ("input/rescaled", 30.0, ["input.exhausted"]),
    ],
)
def test_batches_without_a_row_that_is_fit_are_counted(signal: str, count: float, expected: list[str]) -> None:
    assert codes(Emptied(), [(5, {signal: count})]) == expected


def test_a_batch_with_fit_rows_says_nothing() -> None:
    assert codes(Emptied(), [(5, {"input/unfit/3": 1.0})]) == []
