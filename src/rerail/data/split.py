"""Set clips aside for measuring, without leaking a text into training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rerail.data import alike
from rerail.data.clip import Clip

NAMES = ("train", "validation", "test")
Groups = Mapping[str, Sequence[Clip]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """A corpus in three parts that share no text, nor one that is nearly the same."""

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]


def split(clips: Sequence[Clip], held_out: int) -> tuple[list[Clip], list[Clip]]:
    """Return (training, held out). Deterministic, whatever the order of `clips`; clips of one text stay together.

    A text is held out only while training still has every character of it. Case is not told apart, nor are texts
    that differ only in punctuation. Where clips share texts, a few more than `held_out` may be set aside.

    Raises:
        ValueError: where so many clips cannot be set aside.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(alike.letters(clip.text), []).append(clip)
    aside = set(_chosen(groups, held_out))
    if sum(len(groups[one]) for one in aside) < held_out or len(aside) == len(groups):
        raise ValueError(f"{held_out} of {len(clips)} clips cannot be held out; lower held_out or add clips")
    training = [clip for clip in clips if alike.letters(clip.text) not in aside]
    return training, [clip for clip in clips if alike.letters(clip.text) in aside]


def sides(clips: Sequence[Clip], *, validation: int, test: int, seed: int) -> Sides:
    """Set `validation` and `test` clips aside. Texts that are alike stay together, as in `split`.

    Fewer are set aside where training would lose a character, or its last text. A group of texts that are alike goes
    to training where it has more clips than are to be set aside.
    """
    ordered = sorted(clips, key=lambda clip: clip.id)
    alikes = [[ordered[place] for place in group] for group in alike.groups([clip.text for clip in ordered])]
    wanted = validation + test
    small = {min(alike.letters(clip.text) for clip in group): group for group in alikes if len(group) <= max(2, wanted)}
    large = [clip for group in alikes if len(group) > max(2, wanted) for clip in group]
    chosen = _chosen(small, wanted, salt=f"{seed}:", others=large)
    if chosen and not large and len(chosen) == len(small):
        chosen.pop()
    place = dict[str, str]()
    for one in chosen:
        taken = sum(side == "test" for side in place.values())
        place |= {clip.id: "test" if taken < test else "validation" for clip in small[one]}
    named = {side: tuple(clip for clip in clips if place.get(clip.id, "train") == side) for side in NAMES}
    return Sides(**named)


def _chosen(groups: Groups, held_out: int, *, salt: str = "", others: Sequence[Clip] = ()) -> list[str]:
    """Return the texts to set aside. `others` are trained on in any case."""
    symbols = {text: {one for clip in group for one in clip.text.casefold()} for text, group in groups.items()}
    texts_with = Counter(one for found in symbols.values() for one in found)
    texts_with.update(one for clip in others for one in set(clip.text.casefold()))
    aside, count = list[str](), 0
    for text in sorted(groups, key=lambda text: hashlib.sha256((salt + text).encode()).digest()):
        if count >= held_out:
            break
        if all(texts_with[one] > 1 for one in symbols[text]):
            texts_with.subtract(symbols[text])
            aside.append(text)
            count += len(groups[text])
    return aside
