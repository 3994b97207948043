"""Set clips aside for measuring, without leaking a text into training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from rerail.data.clip import Clip


def split(clips: Sequence[Clip], held_out: int) -> tuple[list[Clip], list[Clip]]:
    """Return (training, held out). Deterministic, whatever the order of `clips`; clips of one text stay together.

    A text is held out only while training still has every character of it. Case is not told apart, nor are texts
    that differ only in punctuation. Where clips share texts, a few more than `held_out` may be set aside.

    Raises:
        ValueError: where so many clips cannot be set aside.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(_letters(clip.text), []).append(clip)
    aside = _chosen(groups, held_out)
    if sum(len(groups[one]) for one in aside) < held_out or len(aside) == len(groups):
        raise ValueError(f"{held_out} of {len(clips)} clips cannot be held out; lower held_out or add clips")
    training = [clip for clip in clips if _letters(clip.text) not in aside]
    return training, [clip for clip in clips if _letters(clip.text) in aside]


def _chosen(groups: dict[str, list[Clip]], held_out: int) -> set[str]:
    symbols = {text: {one for clip in group for one in clip.text.casefold()} for text, group in groups.items()}
    texts_with = Counter(one for found in symbols.values() for one in found)
    aside, count = set[str](), 0
    for text in sorted(groups, key=lambda text: hashlib.sha256(text.encode()).digest()):
        if count >= held_out:
            break
        if all(texts_with[one] > 1 for one in symbols[text]):
            texts_with.subtract(symbols[text])
            aside.add(text)
            count += len(groups[text])
    return aside


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
