from __future__ import annotations

import math

import pytest

from judging import Values, codes, every
from rerail.core.detectors.shift import Shift

TABLE = [
    (
        "steady",
        every(
            1000,
            lambda t: {"input/mean/0": 0.1 * math.sin(t), "input/std/0": 1.0, "input/low/0": -4.0, "input/high/0": 4.0},
            50,
        ),
        [],
    ),
    (
        "moved",
        every(
            1000,
            lambda t: {
                "input/mean/0": 0.0 if t < 500 else 5.0,
                "input/std/0": 1.0,
                "input/low/0": -4.0,
                "input/high/0": 4.0,
            },
            50,
        ),
        ["input.drift"],
    ),
    (
        "wider",
        every(
            1000,
            lambda t: {
                "input/mean/0": 0.0,
                "input/std/0": 1.0 if t < 500 else 20.0,
                "input/low/0": -4.0,
                "input/high/0": 4.0,
            },
            50,
        ),
        ["input.drift"],
    ),
    (
        "one odd batch",
        every(
            1000,
            lambda t: {
                "input/mean/0": 5.0 if t == 500 else 0.0,
                "input/std/0": 1.0,
                "input/low/0": -4.0,
                "input/high/0": 4.0,
            },
            50,
        ),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_shift(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Shift(), readings) == expected, name
