from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.thrash import Thrash

TABLE = [
    ("one in two thousand", every(6000, lambda t: {"scale/backoffs": float(t % 2000 == 0), "scale": 8.0}), []),
    ("again and again", every(1000, lambda t: {"scale/backoffs": float(t % 20 == 0), "scale": 8.0}), ["scale.thrash"]),
    (
        "finding its size at the start",
        every(1000, lambda t: {"scale/backoffs": float(t) if t < 17 else 0.0, "scale": 8.0}),
        [],
    ),
    ("no scaler", every(200, lambda _: {"loss/x": 1.0}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_thrash(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Thrash(), readings) == expected, name
