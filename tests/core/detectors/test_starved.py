from __future__ import annotations

import pytest

from judging import Values, codes, every
from rerail.core.detectors.starved import Starved

TABLE = [
    ("fed", every(1000, lambda _: {"time/step": 0.1, "time/wait": 0.01}), []),
    ("waiting", every(1000, lambda _: {"time/step": 0.1, "time/wait": 0.06}), ["time.starved"]),
    (
        "an evaluation now and then",
        every(1000, lambda t: {"time/step": 0.1, "time/wait": 5.0 if t % 30 == 0 else 0.001}),
        [],
    ),
    ("no loader", every(500, lambda _: {"time/step": 0.1}), []),
]


@pytest.mark.parametrize(("name", "readings", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_starved(name: str, readings: list[tuple[int, Values]], expected: list[str]) -> None:
    assert codes(Starved(), readings) == expected, name
