"""How often each clip of an uneven corpus is taken in an epoch, so that small groups are heard too."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence


def taken(groups: Sequence[Hashable], power: float) -> list[int]:
    """Return the places of `groups` to take in an epoch, each at least once and those of small groups several times.

    A group's share goes from its size (power 0) to the same for all groups (power 1): it is proportional to
    `size ** (1 - power)`, as in multilingual training (Conneau et al. 2020, arXiv:1911.02116, section 3.1).
    The largest group is taken once. A part of a repeat goes to the group's first clips.
    """
    members = defaultdict[Hashable, list[int]](list)
    for place, group in enumerate(groups):
        members[group].append(place)
    most = max(map(len, members.values()), default=0)
    places = list[int]()
    for own in members.values():
        wanted = math.floor(len(own) * (most / len(own)) ** power + 1e-9)
        places += [own[number % len(own)] for number in range(wanted)]
    return sorted(places)
