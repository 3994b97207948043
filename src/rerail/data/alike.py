"""Texts that are the same, or nearly: they must not stand on both sides of a split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from rerail.data.groups import linked

RUN = 3  # words; texts are compared by their runs of so many
SHARED = 0.5  # so large a share of common runs (Jaccard) makes two texts alike
COMMON = 50  # a run in more texts than that, such as "one of the", does not lead from one to another


def letters(text: str) -> str:
    """Return what tells a text from others: its letters and digits, without case, punctuation and spaces."""
    return "".join(character for character in text.casefold() if character.isalnum())


def groups(texts: Sequence[str]) -> list[list[int]]:
    """Return the places of the texts, those that are alike together, in order of their first."""
    return linked(len(texts), _alike(texts))


def _alike(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = dict[str, int]()
    for place, text in enumerate(texts):
        if (same := first.setdefault(letters(text), place)) != place:
            yield same, place
    runs = {place: _runs(texts[place]) for place in first.values()}
    for one, other in sorted(_neighbours(runs)):
        common = len(runs[one] & runs[other])
        if common >= SHARED * (len(runs[one]) + len(runs[other]) - common):
            yield one, other


def _neighbours(runs: dict[int, set[str]]) -> set[tuple[int, int]]:
    holders = dict[str, list[int]]()
    for place, found in runs.items():
        for run in found:
            holders.setdefault(run, []).append(place)
    return {pair for places in holders.values() if len(places) <= COMMON for pair in combinations(places, 2)}


def _runs(text: str) -> set[str]:
    words = re.findall(r"\w+", text.casefold())
    return {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}
