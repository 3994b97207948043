from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.moments import Moments

TABLE = [
    ("usual", every(1000, lambda _: {"optimizer/rms": 0.9, "optimizer/largest": 40.0}, 50), []),
    ("stale", every(1000, lambda _: {"optimizer/rms": 0.01, "optimizer/largest": 0.1}, 50), ["optimizer.stale"]),
    (
        "a loss that falls fast",
        every(1000, lambda t: {"optimizer/rms": 0.01 if t < 250 else 0.5, "optimizer/largest": 0.1}, 50),
        [],
    ),
    (
        "a burst",
        every(
            1000,
            lambda t: {"optimizer/rms": 20.0 if t == 500 else 1.0, "optimizer/largest": 1e5 if t == 500 else 10.0},
            50,
        ),
        ["optimizer.exploding"],
    ),
    ("one odd entry", every(1000, lambda _: {"optimizer/rms": 1.0, "optimizer/largest": 1e5}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_moments(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Moments(), readings) == expected, name
