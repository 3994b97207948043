from __future__ import annotations

import math
import random

import pytest

from rerail.core.detectors.explosion import Explosion
from rerail.core.reading import Reading

NOISE = random.Random(1)
HEAVY = [math.exp(NOISE.gauss(0, 0.8)) for _ in range(400)]
TABLE = [
    ("heavy-tailed", HEAVY, 0),
    ("shrinking", [math.exp(-tick / 20) for tick in range(200)], 0),
    ("one large norm", [*HEAVY[:60], 100.0, 1.0, 1.0], 0),
    ("three in a row", [*([1.0, 1.1] * 20), 50.0, 60.0, 70.0], 1),
    ("far at once", [*([1.0, 1.1] * 20), 5e4], 1),
    ("NaN is left to others", [*([1.0, 1.1] * 20), math.nan, math.inf], 0),
    ("a level that lasts is adopted", [*([1.0, 1.1] * 20), *([30.0, 31.0] * 300)], 9),
    ("no gradient", [0.0] * 50, 0),
    ("before the warm-up", [1.0, 1e6], 0),
]


@pytest.mark.parametrize(("name", "norms", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_explosions(name: str, norms: list[float], expected: int) -> None:
    detector = Explosion()
    memory, found = detector.init(), 0
    for tick, norm in enumerate(norms):
        memory, findings = detector.update(memory, Reading(tick=tick, values={"grad/norm": norm}))
        found += len(findings)
    assert found == expected, name
