from __future__ import annotations

import math

import pytest

from rerail.core.detectors.idle import Idle
from rerail.core.reading import Reading

TABLE = [
    ("learning", [1.0, 0.5, 1e-30], 0),
    ("four ticks are not enough", [0.0] * 4 + [1.0] + [0.0] * 4, 0),
    ("five are", [0.0] * 5, 1),
    ("said again after as many", [0.0] * 10, 2),
    ("NaN is left to others", [0.0, 0.0, 0.0, 0.0, math.nan], 0),
]


@pytest.mark.parametrize(("name", "norms", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_idle(name: str, norms: list[float], expected: int) -> None:
    detector = Idle()
    memory, found = detector.init(), 0
    for tick, norm in enumerate(norms):
        memory, findings = detector.update(memory, Reading(tick=tick, values={"grad/norm": norm}))
        found += len(findings)
    assert found == expected, name
