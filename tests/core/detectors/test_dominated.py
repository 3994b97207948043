from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.dominated import Dominated

TABLE = [
    ("balanced", every(2500, lambda _: {"loss/a": 1.0, "loss/b": 0.5}), []),
    ("drowned and still", every(2500, lambda _: {"loss/a": 900.0, "loss/b": 0.5}), ["loss.dominated"]),
    ("small, yet learning", every(2500, lambda t: {"loss/a": 900.0, "loss/b": 1 / t}), []),
    ("a small divergence", every(2500, lambda _: {"loss/a": 900.0, "loss/kl": 0.5}), []),
    ("switched off", every(2500, lambda _: {"loss/a": 900.0, "loss/b": 0.0}), []),
    ("alone", every(2500, lambda _: {"loss/x": 1.0}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_dominated(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Dominated(), readings) == expected, name
