from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.constant import Constant

TABLE = [
    ("full", every(1000, lambda _: {"input/constant/0": 0.0}, 50), []),
    ("empty", every(1000, lambda _: {"input/constant/0": 1.0}, 50), ["input.constant"]),
    ("a mask beside the input", every(1000, lambda _: {"input/constant/0": 0.0, "input/constant/1": 1.0}, 50), []),
    (
        "full at first",
        every(1000, lambda t: {"input/constant/0": float(t > 300), "input/constant/1": 0.0}, 50),
        ["input.constant"],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_constant(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Constant(), readings) == expected, name
