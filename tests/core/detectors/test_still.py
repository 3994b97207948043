from __future__ import annotations

import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.still import Still

NOISE = random.Random(0)

TABLE = [
    ("falling", every(1500, lambda t: {"loss/x": 2 - t / 2000}), []),
    ("flat with noise", every(1500, lambda _: {"loss/x": 2 + NOISE.gauss(0, 0.1)}), ["loss.still"]),
    ("late start", every(1500, lambda t: {"loss/x": 2.0 if t < 400 else 1.5}), []),
    ("one of two moves", every(1500, lambda t: {"loss/a": 2.0, "loss/b": 1 / t}), []),
    ("rising is another belief", every(1500, lambda t: {"loss/x": 2 + t / 500}), []),
    ("negative and falling", every(1500, lambda t: {"loss/x": -5 - t / 500}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_still(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Still(), readings) == expected, name
