from __future__ import annotations

import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.plateau import Plateau

NOISE = random.Random(0)

TABLE = [
    ("still learning", every(6000, lambda t: {"loss/x": 10 * t**-0.3}), []),
    (
        "learned, then flat",
        every(4000, lambda t: {"loss/x": max(1.0, 3 - t / 200) + NOISE.gauss(0, 0.05)}),
        ["loss.plateau"],
    ),
    ("flat from the start", every(4000, lambda _: {"loss/x": 1 + NOISE.gauss(0, 0.05)}), []),
    ("flat for a while", every(3000, lambda t: {"loss/x": (2.0 if 500 < t < 1500 else 3 - t / 1000)}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_plateau(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Plateau(), readings) == expected, name
