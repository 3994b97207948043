from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.units import Units

TABLE = [
    ("alive", every(1000, lambda _: {"act/dead/relu": 0.3, "act/saturated/tanh": 0.5}, 50), []),
    ("dead", every(1000, lambda _: {"act/dead/relu": 0.8}, 50), ["units.dead"]),
    ("saturated", every(1000, lambda _: {"act/saturated/tanh": 0.95}, 50), ["units.saturated"]),
    ("dead at one look", every(1000, lambda t: {"act/dead/relu": 0.8 if t == 100 else 0.1}, 50), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_units(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Units(), readings) == expected, name
