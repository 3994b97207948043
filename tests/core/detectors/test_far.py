from __future__ import annotations

import pytest

from judging import Values, codes
from rerail.core.detectors import Far

USUAL = [3.0, 3.5, 2.8] * 10
TABLE: list[tuple[str, list[float], list[str]]] = [
    ("as ever", USUAL * 3, []),
    ("a row in another unit", [*USUAL, 1e6, 3.0, 1e6], ["input.far", "input.far"]),
    ("one large row", [*USUAL, 200.0, 3.0], ["input.range"]),
    ("somewhat larger now and then", [*USUAL, 20.0, 3.0, 3.0, 20.0, 3.0], []),
    ("larger from here on", [*USUAL, *[20.0] * 60], ["input.range"]),
    ("growing slowly", [1.02**n for n in range(400)], []),
    ("too early to tell", [1.0] * 10 + [1e6], []),
    ("nothing but zeros before", [0.0] * 30 + [5.0], []),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[one[0] for one in TABLE])
def test_far(name: str, values: list[float], expected: list[str]) -> None:
    readings: list[tuple[int, Values]] = [(n, {"input/largest/0": value}) for n, value in enumerate(values, 1)]
    assert codes(Far(), readings) == expected, name
