from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.labels import Labels

TABLE = [
    ("even", every(1000, lambda _: {"batch/rows": 64.0, "label/classes/1": 10.0, "label/entropy/1": 2.2}, 50), []),
    (
        "nearly one",
        every(1000, lambda _: {"batch/rows": 64.0, "label/classes/1": 4.0, "label/entropy/1": 0.1}, 50),
        ["labels.imbalanced"],
    ),
    (
        "always one number is no label",
        every(1000, lambda _: {"batch/rows": 64.0, "label/classes/1": 1.0, "label/entropy/1": 0.0}, 50),
        [],
    ),
    (
        "sorted by class",
        every(
            1000,
            lambda t: {
                "batch/rows": 64.0,
                "label/classes/1": 2.0 if t == 100 else 1.0,
                "label/entropy/1": 0.6 if t == 100 else 0.0,
            },
            50,
        ),
        ["labels.imbalanced"],
    ),
    (
        "a small batch",
        every(1000, lambda _: {"batch/rows": 4.0, "label/classes/1": 2.0, "label/entropy/1": 0.1}, 50),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_labels(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Labels(), readings) == expected, name
