"""Set clips aside for measuring, without leaking a text into training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rerail.data.clip import Clip


def split(clips: Sequence[Clip], held_out: int) -> tuple[list[Clip], list[Clip]]:
    """Return (training, held out). Deterministic, whatever the order of `clips`; clips of one text stay together.

    A clip is held out only while every character of its text still occurs in training.

    Raises:
        ValueError: where so many clips cannot be set aside.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(_letters(clip.text), []).append(clip)
    order = sorted(groups, key=lambda text: hashlib.sha256(text.encode()).digest())
    kept, aside = set(order), list[str]()
    for text in order:
        enough = sum(len(groups[one]) for one in aside) >= held_out
        others = {character for one in kept - {text} for character in one}
        if not enough and set(text) <= others:
            kept.remove(text)
            aside.append(text)
    if sum(len(groups[one]) for one in aside) < held_out or not kept:
        raise ValueError(f"{held_out} of {len(clips)} clips cannot be held out; lower held_out or add clips")
    return [clip for clip in clips if _letters(clip.text) in kept], [c for c in clips if _letters(c.text) not in kept]


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
