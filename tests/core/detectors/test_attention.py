from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.attention import Attention

TABLE = [
    (
        "becomes diagonal",
        every(
            2000,
            lambda t: {
                "attention/entropy/a": 1 - t / 2500,
                "attention/largest/a": t / 2000,
                "attention/diagonal/a": t / 2500,
                "attention/stuck/a": 0.1,
            },
            50,
        ),
        [],
    ),
    (
        "uniform so far",
        every(
            2000,
            lambda _: {
                "attention/entropy/a": 0.999,
                "attention/largest/a": 0.05,
                "attention/diagonal/a": 0.0,
                "attention/stuck/a": 0.1,
            },
            50,
        ),
        [],
    ),
    (
        "uniform again",
        every(
            2000,
            lambda t: {
                "attention/entropy/a": 0.4 if t < 800 else 0.999,
                "attention/largest/a": 0.5,
                "attention/diagonal/a": 0.2,
                "attention/stuck/a": 0.1,
            },
            50,
        ),
        ["attention.collapse"],
    ),
    (
        "lost its diagonal",
        every(
            2000,
            lambda t: {
                "attention/entropy/a": 0.4,
                "attention/largest/a": 0.5,
                "attention/diagonal/a": 0.7 if t < 800 else 0.0,
                "attention/stuck/a": 0.1,
            },
            50,
        ),
        ["attention.collapse"],
    ),
    (
        "stuck after having walked",
        every(
            2000,
            lambda t: {
                "attention/entropy/a": 0.2,
                "attention/largest/a": 0.9,
                "attention/diagonal/a": 0.7 if t < 800 else 0.3,
                "attention/stuck/a": 0.1 if t < 800 else 1.0,
            },
            50,
        ),
        ["attention.collapse"],
    ),
    (
        "rests on one key, as some heads do",
        every(
            2000,
            lambda _: {
                "attention/entropy/a": 0.1,
                "attention/largest/a": 0.95,
                "attention/diagonal/a": 0.0,
                "attention/stuck/a": 1.0,
            },
            50,
        ),
        [],
    ),
    ("uniform for very long", every(15000, lambda _: {"attention/entropy/a": 0.999}, 50), ["attention.collapse"]),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_attention(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Attention(), readings) == expected, name
