from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.steps import Steps

CUT = {"update/ratio": 1e-8, "lr": 1e-3, "knob/lr_standing": 0.01}
TABLE = [
    ("usual", every(1000, lambda _: {"update/ratio": 1e-3, "lr": 1e-3}, 50), []),
    ("far too small", every(1000, lambda _: {"update/ratio": 1e-8, "lr": 1e-3}, 50), ["update.small"]),
    ("far too large", every(1000, lambda _: {"update/ratio": 0.5, "lr": 1e-3}, 50), ["update.large"]),
    (
        "small at the end of the schedule",
        every(1000, lambda t: {"update/ratio": 1e-3 if t < 500 else 1e-8, "lr": 1e-3 if t < 500 else 1e-8}, 50),
        [],
    ),
    (
        "small after cuts at a plateau",
        every(1000, lambda t: {"update/ratio": 1e-3, "lr": 1e-3} if t < 500 else CUT, 50),
        [],
    ),
    ("large in the warm-up", every(1000, lambda t: {"update/ratio": 0.5 if t < 150 else 1e-3, "lr": 1e-3}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_steps(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Steps(), readings) == expected, name
