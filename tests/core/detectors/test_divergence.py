from __future__ import annotations

import math
import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.divergence import Divergence

NOISE = random.Random(0)

TABLE = [
    ("falling with noise", every(1500, lambda t: {"loss/x": 3 * math.exp(-t / 200) + NOISE.gauss(0, 0.1)}), []),
    ("flat", every(1500, lambda _: {"loss/x": 1 + NOISE.gauss(0, 0.1)}), []),
    (
        "down and slowly up",
        every(1500, lambda t: {"loss/x": 1 + abs(t - 500) / 500 + NOISE.gauss(0, 0.02)}),
        ["loss.divergence"],
    ),
    ("up from the start", every(1500, lambda t: {"loss/x": 1 + t / 500}), ["loss.divergence"]),
    ("a bump that passes", every(1500, lambda t: {"loss/x": 1 + 1000 / (t + 200) + 3 * (600 < t < 800)}), []),
    ("negative and up again", every(1400, lambda t: {"loss/x": -abs(700 - abs(t - 700)) / 100}), ["loss.divergence"]),
    (
        "one part rises as another falls more",
        every(1500, lambda t: {"loss/kl": t / 100, "loss/mse": 50 - t / 50, "loss/total": t * 1.0}),
        [],
    ),
    ("rare far batches", every(1500, lambda t: {"loss/x": 1000.0 if t % 50 == 0 else 1 + 100 / t}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_divergence(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Divergence(), readings) == expected, name
