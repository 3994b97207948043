from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.unnormalised import Unnormalised

TABLE = [
    (
        "normal",
        every(1000, lambda _: {"input/mean/0": 0.1, "input/std/0": 1.0, "input/low/0": -4.0, "input/high/0": 4.0}, 50),
        [],
    ),
    (
        "bytes",
        every(
            1000, lambda _: {"input/mean/0": 120.0, "input/std/0": 60.0, "input/low/0": 0.0, "input/high/0": 255.0}, 50
        ),
        ["input.unnormalised"],
    ),
    (
        "far from zero",
        every(
            1000,
            lambda _: {"input/mean/0": 1000.0, "input/std/0": 3.0, "input/low/0": 990.0, "input/high/0": 1010.0},
            50,
        ),
        ["input.unnormalised"],
    ),
    (
        "wide",
        every(
            1000, lambda _: {"input/mean/0": 0.0, "input/std/0": 900.0, "input/low/0": -4e3, "input/high/0": 4e3}, 50
        ),
        ["input.unnormalised"],
    ),
    (
        "log magnitudes",
        every(
            1000, lambda _: {"input/mean/0": -6.0, "input/std/0": 2.5, "input/low/0": -11.5, "input/high/0": 1.0}, 50
        ),
        [],
    ),
    (
        "constant",
        every(1000, lambda _: {"input/mean/0": 1.0, "input/std/0": 0.0, "input/low/0": 1.0, "input/high/0": 1.0}, 50),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_unnormalised(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Unnormalised(), readings) == expected, name
