from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.vanishing import Vanishing

TABLE = [
    ("even", every(1000, lambda _: {"grad/rms/first": 1e-3, "grad/rms/last": 1e-2, "grad/rms": 1e-2}, 50), []),
    (
        "faded",
        every(1000, lambda _: {"grad/rms/first": 1e-8, "grad/rms/last": 1e-2, "grad/rms": 1e-2}, 50),
        ["gradient.vanishing"],
    ),
    (
        "small all over, but even",
        every(1000, lambda _: {"grad/rms/first": 1e-5, "grad/rms/last": 1e-5, "grad/rms": 1e-5}, 50),
        [],
    ),
    ("tiny", every(1000, lambda _: {"grad/rms": 1e-9}, 50), ["gradient.vanishing"]),
    (
        "exactly zero is another belief",
        every(1000, lambda _: {"grad/rms": 0.0, "grad/rms/first": 0.0, "grad/rms/last": 0.0}, 50),
        [],
    ),
    (
        "for a while",
        every(1000, lambda t: {"grad/rms/first": 1e-8 if t < 200 else 1e-3, "grad/rms/last": 1e-2}, 50),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_vanishing(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Vanishing(), readings) == expected, name
