from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.missing import Missing

TABLE = [
    ("all trained", every(1000, lambda _: {"param/total": 4.0, "param/no_gradient": 0.0, "param/loose": 0.0}, 50), []),
    (
        "no gradient",
        every(
            1000, lambda _: {"param/total": 4.0, "param/no_gradient": 1.0, "param/no_gradient/head.weight": 32.0}, 50
        ),
        ["gradient.missing"],
    ),
    ("in no optimizer", every(1000, lambda _: {"param/total": 4.0, "param/loose": 2.0}, 50), ["gradient.missing"]),
    (
        "a branch left out now and then",
        every(1000, lambda t: {"param/total": 4.0, "param/no_gradient": float(t % 100 == 0)}, 50),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_missing(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Missing(), readings) == expected, name
