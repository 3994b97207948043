from __future__ import annotations

import math
import random

import pytest

from judging import Values, codes, every
from rerail.core.detectors.chance import Chance

NOISE = random.Random(0)
LABELS = {"label/classes/1": 10.0, "label/entropy/1": 2.2, "batch/rows": 64.0}

TABLE = [
    (
        "at ln(classes)",
        every(600, lambda _: {"loss/ce": math.log(10) + NOISE.gauss(0, 0.01), **LABELS}),
        ["loss.chance"],
    ),
    ("passes it", every(600, lambda t: {"loss/ce": 3 - t / 300, **LABELS}), []),
    (
        "starts there and leaves",
        every(600, lambda t: {"loss/ce": math.log(10) * (1.0 if t < 150 else 0.8), **LABELS}),
        [],
    ),
    ("contrastive, collapsed", every(600, lambda _: {"loss/nce": math.log(32), "batch/rows": 32.0}), ["loss.chance"]),
    (
        "rests at the labels' entropy",
        every(600, lambda _: {"loss/ce": 0.5, "label/entropy/1": 0.5, "label/classes/1": 4.0}),
        ["loss.chance"],
    ),
    (
        "rests at what the losses say guessing gives",
        every(600, lambda _: {"loss/nce": math.log(7), "batch/rows": 8.0, "signal/chance": math.log(7)}),
        ["loss.chance"],
    ),
    (
        "rests at one of several that they say",
        every(600, lambda _: {"loss/triplet": 0.2, "signal/chance/nce": 2.0, "signal/chance/triplet": 0.2}),
        ["loss.chance"],
    ),
    ("a given level near zero says nothing", every(600, lambda _: {"loss/x": 0.05, "signal/chance": 0.05}), []),
    ("no labels are known", every(600, lambda _: {"loss/ce": 0.5}), []),
    ("a level near zero says nothing", every(600, lambda _: {"loss/ce": 0.05, "label/entropy/1": 0.05}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_chance(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Chance(), readings) == expected, name
