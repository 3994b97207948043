from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.drift import Drift

TABLE = [
    ("steady", every(1000, lambda t: {"act/rms/net": 1.0 + t / 1000}, 50), []),
    (
        "grown two hundredfold",
        every(1000, lambda t: {"act/rms/net": 1.0 if t < 400 else 200.0}, 50),
        ["activation.drift"],
    ),
    ("faded", every(1000, lambda t: {"act/rms/net": 1.0 if t < 400 else 1e-4}, 50), ["activation.drift"]),
    ("a head that starts at zero", every(1000, lambda t: {"act/rms/head": 1e-7 * t**2}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_drift(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Drift(), readings) == expected, name
