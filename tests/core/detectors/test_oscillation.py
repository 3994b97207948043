from __future__ import annotations

import math
import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.oscillation import Oscillation

NOISE = random.Random(0)

TABLE = [
    ("noise", every(1500, lambda _: {"loss/x": 1 + NOISE.gauss(0, 0.3)}), []),
    (
        "swings more and more",
        every(1000, lambda t: {"loss/x": 1 + 0.01 * (-1) ** t * math.exp(t / 200)}),
        ["loss.oscillation"],
    ),
    ("two batches in turn, learning", every(1500, lambda t: {"loss/x": (1 + 0.5 * (-1) ** t) / t}), []),
    ("noisier, but not opposed", every(1500, lambda t: {"loss/x": 1 + NOISE.gauss(0, 0.02 if t < 300 else 0.3)}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_oscillation(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Oscillation(), readings) == expected, name
