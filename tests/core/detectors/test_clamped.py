from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.clamped import Clamped

TABLE = [
    ("learning", every(1000, lambda t: {"signal/logit_scale": 2 + t / 1000}), []),
    ("at its clamp", every(1000, lambda t: {"signal/logit_scale": min(4.6, 2 + t / 100)}), ["scale.clamped"]),
    ("never moved", every(1000, lambda _: {"signal/logit_scale": 2.0}), ["scale.clamped"]),
    ("another signal", every(1000, lambda _: {"signal/margin": 2.0}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_clamped(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Clamped(), readings) == expected, name
