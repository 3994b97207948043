from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.twice import Twice

TABLE = [
    ("all different", every(1000, lambda _: {"input/twice": 0.0}, 50), []),
    ("drawn with replacement", every(1000, lambda _: {"input/twice": 0.2}, 50), []),
    ("all the same", every(1000, lambda _: {"input/twice": 1.0}, 50), ["input.twice"]),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_twice(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Twice(), readings) == expected, name
