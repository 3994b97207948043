from __future__ import annotations

import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.overfit import Overfit

NOISE = random.Random(0)

TABLE = [
    ("both fall", every(3000, lambda t: {"loss/ce": 1 / t, **({"eval/ce": 1.5 / t} if t % 200 == 0 else {})}), []),
    (
        "held-out rises",
        every(
            3000,
            lambda t: {"loss/ce": 100 / (t + 100), **({"eval/ce": 1 + abs(t - 1000) / 1000} if t % 200 == 0 else {})},
        ),
        ["loss.overfit"],
    ),
    (
        "both rise",
        every(
            3000,
            lambda t: {
                "loss/ce": 1 + abs(t - 1000) / 1000,
                **({"eval/ce": 1 + abs(t - 1000) / 1000} if t % 200 == 0 else {}),
            },
        ),
        [],
    ),
    (
        "noisy held-out",
        every(
            3000,
            lambda t: {"loss/ce": 100 / (t + 100), **({"eval/ce": 1 + NOISE.gauss(0, 0.1)} if t % 200 == 0 else {})},
        ),
        [],
    ),
    ("accuracy falls not as a loss", every(3000, lambda t: {"loss/ce": 1 / t, "eval/accuracy": t / 3000}), []),
    (
        "a metric named like an error",
        every(3000, lambda t: {"loss/ce": 1 / t, **({"eval/mel_error": t / 1000} if t % 200 == 0 else {})}),
        ["loss.overfit"],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_overfit(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Overfit(), readings) == expected, name
