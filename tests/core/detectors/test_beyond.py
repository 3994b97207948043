from __future__ import annotations

import math

import pytest

from judging import Values, codes, every
from rerail.core.detectors import Beyond

OWN = Beyond(code="embedding.apart", signal="eval/gap", most=1.2, ticks=200, readings=3)

TABLE = [
    ("above", every(600, lambda t: {"eval/gap": 1.5} if t % 50 == 0 else {}), ["embedding.apart"]),
    ("at what is healthy", every(600, lambda t: {"eval/gap": 1.2} if t % 50 == 0 else {}), []),
    ("back in time", every(600, lambda t: {"eval/gap": 1.5 if t < 150 else 1.0} if t % 50 == 0 else {}), []),
    ("looked at too seldom", every(600, lambda t: {"eval/gap": 1.5} if t in (0, 500) else {}), []),
    ("not a number", every(600, lambda t: {"eval/gap": math.nan} if t % 50 == 0 else {}), []),
    ("what stands under it", every(600, lambda t: {"eval/gap/one": 1.5} if t % 50 == 0 else {}), ["embedding.apart"]),
    ("another signal", every(600, lambda t: {"eval/gaping": 1.5} if t % 50 == 0 else {}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_beyond(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(OWN, readings) == expected, name
