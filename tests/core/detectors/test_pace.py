from __future__ import annotations

import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.pace import Pace

NOISE = random.Random(0)

TABLE = [
    ("steady", every(1500, lambda _: {"time/step": 0.1 + abs(NOISE.gauss(0, 0.01))}), []),
    ("slower and slower", every(1500, lambda t: {"time/step": 0.1 + t / 10000}), ["time.slow"]),
    ("another process for a while", every(1500, lambda t: {"time/step": 0.3 if 500 < t < 700 else 0.1}), []),
    ("slow at first", every(1500, lambda t: {"time/step": 2.0 if t < 15 else 0.1}), []),
    ("fractions of a millisecond", every(1500, lambda t: {"time/step": 0.0001 if t < 500 else 0.0004}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_pace(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Pace(), readings) == expected, name
