from __future__ import annotations

import pytest

from judging import Values, codes
from rerail.core.detectors import Draws


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([0, 0, 0, 1], ["random.changed"]),  # dropout sets in
        ([3, 3, 3, 0], ["random.changed"]),  # a model left in eval mode
        ([0, 0, 1, 1, 1, 1], []),  # two looks are too few to be sure, and then it is usual
        ([0, 0, 0, 1, 2, 3], ["random.changed"]),  # told once
        ([4, 6, 5, 4, 6, 5], []),  # layers left out by chance
    ],
)
def test_another_number_of_draws_is_told(counts: list[float], expected: list[str]) -> None:
    readings: list[tuple[int, Values]] = [(50 * n, {"random/operations": count}) for n, count in enumerate(counts, 1)]
    assert codes(Draws(), readings) == expected


def test_a_tick_without_a_look_says_nothing() -> None:
    assert codes(Draws(), [(n, {"grad/norm": 1.0}) for n in range(1, 9)]) == []
