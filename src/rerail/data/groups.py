"""What hangs together, over any number of links (union-find)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence


def linked(count: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the places 0 to `count` in groups that links lead through, in order of their first."""
    leader = list(range(count))
    for one, other in links:
        first, second = sorted((_head(leader, one), _head(leader, other)))
        leader[second] = first
    found = dict[int, list[int]]()
    for place in range(count):
        found.setdefault(_head(leader, place), []).append(place)
    return list(found.values())


def sharing(things: Sequence[Iterable[Hashable]]) -> list[list[int]]:
    """Return the places of things in groups: who has a mark in common with one of a group belongs to it."""
    return linked(len(things), _links(things))


def _links(things: Sequence[Iterable[Hashable]]) -> Iterator[tuple[int, int]]:
    first = dict[Hashable, int]()
    for place, marks in enumerate(things):
        for mark in marks:
            yield first.setdefault(mark, place), place


def _head(leader: list[int], place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place
