"""A picture, a recording, and whose they are; and what a reader found."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rerail.data.listing import LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A picture and a recording that belong together. `identity` is the person, or the thing, that both are of."""

    id: str
    image: Path
    audio: Path
    identity: str
    speaker: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Pairs as a reader found them. `left_out` names everything that is in none."""

    pairs: tuple[Pair, ...]
    left_out: tuple[LeftOut, ...] = ()


def composed(name: str) -> str:
    """Return a name as one that looks the same is spelled by other systems too (Unicode NFC)."""
    return unicodedata.normalize("NFC", name)


def sifted(pairs: Iterable[Pair], left_out: Iterable[LeftOut], place: str) -> Pairing:
    """Keep the pairs that have an id of their own and both files; name the others.

    Raises:
        ValueError: naming `place`, where no pair is left.
    """
    kept, odd = dict[str, Pair](), list(left_out)
    for pair in pairs:
        if problem := _problem(pair, kept):
            kind, reason = problem
            odd.append(LeftOut(id=pair.id, kind=kind, reason=reason))
        else:
            kept[pair.id] = pair
    if not kept:
        first = "; ".join(f"{one.id}: {one.reason}" for one in odd[:3]) or "there is nothing"
        raise ValueError(f"{place}: no picture could be paired with a recording ({first})")
    return Pairing(pairs=tuple(kept.values()), left_out=tuple(odd))


def _problem(pair: Pair, kept: dict[str, Pair]) -> tuple[str, str] | None:
    """Return the kind of what is wrong with a pair, and the reason."""
    if pair.id in kept:
        return "id twice", "another pair has this id, and only the first is used; give each an id of its own"
    if not pair.identity:
        return "identity", "it has no identity; name the person or thing"
    for kind, path in (("no picture", pair.image), ("no audio", pair.audio)):
        if not path.is_file():
            return kind, f"{path} is missing; restore it or remove the pair"
        if not path.stat().st_size:
            return kind, f"{path} is empty (0 bytes); restore it or remove the pair"
    return None
