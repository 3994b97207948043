from __future__ import annotations

import math

import pytest

from judging import Values, codes, every
from rerail.core.detectors.zero import Zero

TABLE = [
    ("learning", every(1500, lambda t: {"loss/x": 1 / t}), []),
    ("all zero", every(200, lambda _: {"loss/x": 0.0}), ["loss.zero"]),
    ("zero now and then", every(400, lambda t: {"loss/x": float(t % 40 == 0)}), []),
    ("one of two never on", every(2000, lambda _: {"loss/a": 1.0, "loss/b": 0.0}), []),
    ("one of two gone", every(2000, lambda t: {"loss/a": 1.0, "loss/b": float(t < 100)}), ["loss.zero"]),
    ("NaN is left to others", every(300, lambda _: {"loss/a": math.nan, "loss/b": 0.0}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_zero(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Zero(), readings) == expected, name
