from __future__ import annotations

import pytest

from judging import codes
from rerail.core.detectors import Sign

STEADY = [1.0, 0.9, 1.1] * 12
TABLE: list[tuple[str, list[float], int]] = [
    ("a loss that stays positive", STEADY, 0),
    ("a minus that slipped in", [*STEADY, -1.0, -1.2, -1.5, -2.0], 1),
    ("one odd value", [*STEADY, -1.0, 1.0, 1.0, 1.0], 0),
    ("a likelihood that passes through zero", [1.0 - 0.02 * n for n in range(120)], 0),
    ("a loss that was always negative", [-1.0] * 60, 0),
    ("too early to tell", [1.0] * 10 + [-1.0] * 5, 0),
    ("a fall to zero", [*STEADY, 0.0, 0.0, 0.0, 0.0], 0),
]


@pytest.mark.parametrize(("name", "values", "times"), TABLE, ids=[one[0] for one in TABLE])
def test_sign(name: str, values: list[float], times: int) -> None:
    found = codes(Sign(), [(tick, {"loss/mel": value}) for tick, value in enumerate(values, 1)])
    assert found == ["loss.sign"] * times, name
