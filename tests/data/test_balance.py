from __future__ import annotations

from collections import Counter

import pytest

from rerail.data.balance import taken

GROUPS = ["ru"] * 100 + ["en"] * 25 + ["fr"] * 4


@pytest.mark.parametrize(
    ("power", "counts"),
    [
        (0.0, {"ru": 100, "en": 25, "fr": 4}),
        (1.0, {"ru": 100, "en": 100, "fr": 100}),
        (0.5, {"ru": 100, "en": 50, "fr": 20}),
    ],
)
def test_shares_go_from_the_clips_to_the_groups(power: float, counts: dict[str, int]) -> None:
    assert Counter(GROUPS[place] for place in taken(GROUPS, power)) == counts


def test_every_clip_is_taken_and_none_much_oftener_than_its_neighbours() -> None:
    often = Counter(taken(GROUPS, 0.7))
    assert set(often) == set(range(len(GROUPS)))
    for group in ("ru", "en", "fr"):
        own = {often[place] for place, one in enumerate(GROUPS) if one == group}
        assert max(own) - min(own) <= 1


def test_nothing_is_nothing() -> None:
    assert taken([], 0.5) == []
