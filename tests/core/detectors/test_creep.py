from __future__ import annotations

import math

import pytest

from judging import Values, codes, every
from rerail.core.detectors.creep import Creep

TABLE = [
    ("steady", every(3000, lambda t: {"memory/host": 2e9 + 1e6 * math.sin(t)}, 50), []),
    ("leaks", every(3000, lambda t: {"memory/host": 2e9 + 3e5 * t}, 50), ["memory.creep"]),
    ("fills up and stops", every(3000, lambda t: {"memory/host": 2e9 + 2e9 * (1 - math.exp(-t / 200))}, 50), []),
    ("a saw", every(3000, lambda t: {"memory/host": 2e9 + 1e9 * (t % 500) / 500}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_creep(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Creep(), readings) == expected, name
