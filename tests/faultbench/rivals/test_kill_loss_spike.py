from __future__ import annotations

import math

import pytest
from faultbench.rivals.kill_loss_spike import LossSpike

CALM = [1.0] * 100
TABLE = [
    ("calm", [*CALM, *CALM], []),
    ("four in a row are borne", [*CALM, *([3.0] * 4), 1.0], []),
    ("the fifth is not", [*CALM, *([3.0] * 6)], [104, 105]),
    ("one between begins the count anew", [*CALM, *([3.0] * 4), 1.0, *([3.0] * 4)], []),
    ("twice the mean is an outlier", [*CALM, *([2.2] * 5)], [104]),
    ("less is none", [*CALM, *([1.9] * 20)], []),
    ("before the window is full nothing is judged", [*CALM[:90], *([9.0] * 10)], []),
    ("NaN is no outlier", [*CALM, *([math.nan] * 10)], []),
    ("high from the start, after two windows", [12.0] * 203, [200, 201, 202]),
    ("the cap itself is not above it", [10.0] * 203, []),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_spikes(name: str, values: list[float], expected: list[int]) -> None:
    rule = LossSpike()
    assert [tick for tick, loss in enumerate(values) if rule(loss, 1.0)] == expected, name
