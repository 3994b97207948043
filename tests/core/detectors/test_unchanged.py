from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.unchanged import Unchanged

TABLE = [
    ("all move", every(1000, lambda _: {"update/still": 0.0, "update/tensors": 4.0}, 50), []),
    ("none moves", every(1000, lambda _: {"update/still": 4.0, "update/tensors": 4.0}, 50), ["weights.unchanged"]),
    ("one of many", every(1000, lambda _: {"update/still": 1.0, "update/tensors": 4.0}, 50), []),
    (
        "the first step of a warm-up",
        every(1000, lambda t: {"update/still": 4.0 if t == 50 else 0.0, "update/tensors": 4.0}, 50),
        [],
    ),
    ("no gradient at all", every(1000, lambda _: {"update/still": 0.0, "update/tensors": 0.0}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_unchanged(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Unchanged(), readings) == expected, name
