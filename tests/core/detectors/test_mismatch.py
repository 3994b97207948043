from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.mismatch import Mismatch

TABLE = [
    ("a usual gap", every(3000, lambda t: {"loss/ce": 1.0, **({"eval/ce": 1.4} if t % 200 == 0 else {})}), []),
    (
        "far above from the start",
        every(3000, lambda t: {"loss/ce": 1.0, **({"eval/ce": 5.0} if t % 200 == 0 else {})}),
        ["loss.mismatch"],
    ),
    (
        "far above later",
        every(3000, lambda t: {"loss/ce": 1.0, **({"eval/ce": 1.0 if t < 1000 else 5.0} if t % 200 == 0 else {})}),
        [],
    ),
    ("another name", every(3000, lambda _: {"loss/ce": 1.0, "eval/wer": 50.0}), []),
    (
        "the total",
        every(
            900,
            lambda t: {"loss/a": 1.0, "loss/b": 1.0, "loss/total": 2.0, **({"eval/loss": 9.0} if t % 200 == 0 else {})},
        ),
        ["loss.mismatch"],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_mismatch(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Mismatch(), readings) == expected, name
