from __future__ import annotations

import math

import pytest

from judging import Values, codes, every
from rerail.core.detectors.kl import Kl

TABLE = [
    ("grows into its place", every(2000, lambda t: {"loss/mse": 50.0, "loss/kl": 20 * (1 - math.exp(-t / 300))}), []),
    ("collapsed", every(2000, lambda _: {"loss/mse": 50.0, "loss/kl": 1e-5}), ["kl.collapse"]),
    ("annealed in late", every(2000, lambda t: {"loss/mse": 50.0, "loss/kl": 1e-5 if t < 600 else 5.0}), []),
    ("runs away", every(600, lambda t: {"loss/mse": 5.0, "loss/kl": math.exp(t / 50)}), ["kl.explosion"]),
    ("no divergence", every(2000, lambda _: {"loss/x": 1e-5}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_kl(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Kl(), readings) == expected, name
