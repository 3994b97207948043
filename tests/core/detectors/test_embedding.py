from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.embedding import Embedding

TABLE = [
    (
        "spread",
        every(1000, lambda _: {"embedding/std/z": 0.1, "embedding/rank/z": 0.5, "embedding/size/z": 64.0}, 50),
        [],
    ),
    (
        "one point",
        every(1000, lambda _: {"embedding/std/z": 1e-7, "embedding/rank/z": 0.9, "embedding/size/z": 64.0}, 50),
        ["embedding.collapse"],
    ),
    (
        "one line",
        every(1000, lambda _: {"embedding/std/z": 0.1, "embedding/rank/z": 1 / 64, "embedding/size/z": 64.0}, 50),
        ["embedding.collapse"],
    ),
    (
        "two numbers have no rank to lose",
        every(1000, lambda _: {"embedding/std/z": 0.1, "embedding/rank/z": 0.5, "embedding/size/z": 2.0}, 50),
        [],
    ),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_embedding(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Embedding(), readings) == expected, name
