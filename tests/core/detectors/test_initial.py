from __future__ import annotations

import pytest

from judging import Values, codes
from rerail.core.detectors import Initial


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(0.58, []), (1.41, []), (2.36, []), (4.9, []), (5.8, ["weights.wide"]), (17.0, ["weights.wide"])],
)
def test_the_start_is_judged_by_the_gain_of_its_widest_layer(gain: float, expected: list[str]) -> None:
    readings: list[tuple[int, Values]] = [
        (1, {"step": 0.0, "weight/gain": gain}),
        (10, {"step": 9.0, "weight/gain": 50.0}),
    ]
    assert codes(Initial(), readings) == expected


def test_a_run_that_is_resumed_has_no_start() -> None:
    assert codes(Initial(), [(7, {"step": 6.0, "weight/gain": 50.0})]) == []
