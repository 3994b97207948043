from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rerail.data.groups import linked, sharing


def test_links_lead_over_any_number_of_places() -> None:
    assert linked(6, [(4, 2), (5, 4), (0, 1)]) == [[0, 1], [2, 4, 5], [3]]


def test_whoever_shares_a_mark_belongs_together() -> None:
    assert sharing([("a", "b"), ("c",), ("b", "d"), ("d",)]) == [[0, 2, 3], [1]]


@given(st.lists(st.sets(st.integers(0, 12), max_size=3), max_size=20))
def test_groups_share_no_mark_and_hold_everything_once(things: list[set[int]]) -> None:
    groups = sharing(things)
    assert sorted(place for group in groups for place in group) == list(range(len(things)))
    marks = [set().union(*(things[place] for place in group)) for group in groups]
    assert sum(map(len, marks)) == len(set().union(*marks))
