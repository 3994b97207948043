"""Who is trained on, and who is measured: nothing that is measured was seen in training, under whatever name.

Identities that share a recording or a picture are one. `unseen` and `validation` are whole identities; `seen` are
recordings that were set aside of identities that are trained on (docs/decisions/0030).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rerail.data.groups import sharing
from rerail.data.pairs.caches import Examined

TRAIN, VALIDATION, SEEN, UNSEEN = "train", "validation", "seen", "unseen"
Kept = tuple[Examined, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much is set aside: of the identities `unseen` and `validation`, of the others' recordings `seen`."""

    unseen: float
    seen: float
    validation: float
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Pairs by what they are for. With `new_pictures`, those of `seen` show no picture that training shows.

    With `validation_seen`, `validation` was drawn like `seen`.
    """

    train: Kept
    validation: Kept
    seen: Kept
    unseen: Kept
    new_pictures: bool = False
    validation_seen: bool = False

    def named(self) -> Mapping[str, Kept]:
        """Return the parts by their names."""
        return {TRAIN: self.train, VALIDATION: self.validation, SEEN: self.seen, UNSEEN: self.unseen}


def joined(kept: Sequence[Examined]) -> Kept:
    """Return the pairs, with identities that share a recording or a picture as one, such as `a+b`."""
    marks = [(("identity", one.pair.identity), ("sound", one.sound_key), ("picture", one.picture_key)) for one in kept]
    new = list(kept)
    for group in sharing(marks):
        names = sorted({kept[place].pair.identity for place in group})
        if len(names) > 1:
            for place in group:
                new[place] = replace(kept[place], pair=replace(kept[place].pair, identity="+".join(names)))
    return tuple(new)


def parts(
    kept: Sequence[Examined], shares: Shares, *, new_pictures: bool = False, validation_seen: bool = False
) -> Parts:
    """Set identities and recordings aside; identities are joined first. Who is drawn depends on the seed alone.

    Of each identity that is trained on, at least one recording stays in training; so fewer may be `seen` than asked.

    Raises:
        ValueError: where no identity would be left to train on.
    """
    pairs = joined(kept)
    names = _drawn({one.pair.identity for one in pairs}, shares.seed)
    unseen = set(names[: _count(shares.unseen, len(names))])
    others = names[len(unseen) :]
    validation = set() if validation_seen else set(others[: _count(shares.validation, len(names))])
    if len(others) <= len(validation):
        told = f"{len(names)} identities, of which {len(unseen) + len(validation)} were to be set aside"
        raise ValueError(f"{told}; give more, or smaller shares")
    rest = [one for one in pairs if one.pair.identity not in unseen | validation]
    wanted = {VALIDATION: shares.validation if validation_seen else 0.0, SEEN: shares.seen}
    aside = _recordings(rest, wanted, shares.seed, new_pictures=new_pictures)
    place = dict.fromkeys(unseen, UNSEEN) | dict.fromkeys(validation, VALIDATION)
    by_name = defaultdict[str, list[Examined]](list)
    for one in pairs:
        by_name[place.get(one.pair.identity) or aside.get(one.sound_key, TRAIN)].append(one)
    found = {name: tuple(by_name[name]) for name in (TRAIN, VALIDATION, SEEN, UNSEEN)}
    return Parts(**found, new_pictures=new_pictures, validation_seen=validation_seen)


def leaks(parts: Parts) -> list[str]:
    """Return what two parts share that they must not, computed anew from what is in them; nothing where all is well."""
    return [told for one, other in combinations(parts.named(), 2) for told in _shared(parts, one, other)]


def _shared(parts: Parts, one: str, other: str) -> Iterator[str]:
    apart = UNSEEN in (one, other) or (VALIDATION in (one, other) and not parts.validation_seen)
    kinds = {"recording": True, "identity": apart, "picture": apart or parts.new_pictures}
    first, second = (parts.named()[name] for name in (one, other))
    for kind in (kind for kind, told in kinds.items() if told):
        known = {_mark(pair, kind): pair.pair.id for pair in first}
        for pair in second:
            if (same := known.get(_mark(pair, kind))) is not None:
                yield f"{one} and {other} share {kind} of {same} and {pair.pair.id}"


def _mark(one: Examined, kind: str) -> str:
    return {"recording": one.sound_key, "picture": one.picture_key, "identity": one.pair.identity}[kind]


def _recordings(
    rest: Sequence[Examined], wanted: Mapping[str, float], seed: int, *, new_pictures: bool
) -> dict[str, str]:
    """Return for which part each recording is set aside; by `new_pictures` with all that share its pictures."""
    marks = [(one.sound_key, ("picture", one.picture_key)) if new_pictures else (one.sound_key,) for one in rest]
    groups = [{rest[place].sound_key for place in group} for group in sharing(marks)]
    owner = {one.sound_key: one.pair.identity for one in rest}
    left = Counter(owner[min(group)] for group in groups)
    total, aside = len(owner), dict[str, str]()
    order = iter(_in_turn({min(group): group for group in groups}, owner, seed))
    for part, share in wanted.items():
        taken = 0
        while taken < _count(share, total) and (group := next(order, None)):
            if left[owner[min(group)]] > 1:
                left[owner[min(group)]] -= 1
                taken += len(group)
                aside |= dict.fromkeys(group, part)
    return aside


def _in_turn(groups: Mapping[str, set[str]], owner: Mapping[str, str], seed: int) -> list[set[str]]:
    """Return groups in an order of which any beginning has about the same share of each identity (systematic draws)."""
    own = defaultdict[str, list[str]](list)
    for name in _drawn(set(groups), seed):
        own[owner[name]].append(name)
    turns = {
        name: (rank + _chance(identity, seed)) / len(names)
        for identity, names in own.items()
        for rank, name in enumerate(names)
    }
    return [groups[name] for name in sorted(groups, key=lambda name: (turns[name], name))]


def _count(share: float, total: int) -> int:
    """Return how many of so many are a share: at least one of a share that is not 0."""
    return max(1, round(share * total)) if share > 0 else 0


def _drawn(names: set[str], seed: int) -> list[str]:
    """Return names in an order that only they and the seed decide."""
    return sorted(names, key=lambda name: (_chance(name, seed), name))


def _chance(name: str, seed: int) -> float:
    """Return a number in [0, 1] that only a name and the seed decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") / 2**64
