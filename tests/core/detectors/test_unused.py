from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors import Unused

LOOKS = 50  # ticks between two readings of the device
TABLE = [
    ("busy", every(2000, lambda t: {"device/used": 0.9} if t % LOOKS == 0 else {}), []),
    ("idle", every(2000, lambda t: {"device/used": 0.4} if t % LOOKS == 0 else {}), ["device.unused"]),
    ("idle at evaluations", every(2000, lambda t: {"device/used": 0.2 if t % 300 == 0 else 0.9}), []),
    ("nothing that says so", every(2000, lambda _: {"loss/mel": 1.0}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_unused(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Unused(), readings) == expected, name
