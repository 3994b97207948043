from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.gates import Gates

TABLE = [
    ("rare", every(1000, lambda _: {"gate/mean/stop": 0.002}, 50), []),
    ("never", every(1000, lambda _: {"gate/mean/stop": 1e-6}, 50), ["gate.stuck"]),
    ("always", every(1000, lambda _: {"gate/mean/stop": 1 - 1e-6}, 50), ["gate.stuck"]),
    ("never at first", every(1000, lambda t: {"gate/mean/stop": 1e-6 if t < 300 else 0.002}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_gates(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Gates(), readings) == expected, name
