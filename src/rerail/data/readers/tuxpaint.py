"""The layout of Tux Paint's stamps: `NAME.txt` with an English line, then `LL.utf8=text`; `NAME_desc_LL.ogg` beside.

Each recording describes the picture `NAME.png`. There is no word of who speaks; each language has a voice of its own,
so the language names the speaker too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from rerail.data.alike import letters
from rerail.data.clip import Clip
from rerail.data.groups import sharing
from rerail.data.listing import LeftOut, Listing, flat, sifted
from rerail.data.pairs.pair import Pair, Pairing

MANY_VOICES = frozenset({"pt_BR"})  # children of a school
RECORDING = re.compile(r"(.+)_desc_([a-z]{2,3}(?:_[A-Z]{2})?(?:@\w+)?)\.(?:ogg|wav)")


def found(folder: Path) -> list[Path]:
    """Return the recordings of descriptions at or below `folder`."""
    return sorted(path for ending in ("ogg", "wav") for path in folder.rglob(f"*_desc_*.{ending}"))


def read(folder: Path) -> Listing:
    """Read every description that was recorded; one whose text was never translated is left out."""
    clips, odd, texts = list[Clip](), list[LeftOut](), lru_cache(_texts)
    recordings = {flat(path, folder): path for path in found(folder)}
    for name, path in recordings.items():
        match = RECORDING.fullmatch(path.name)
        if match is None:
            continue  # sifted names it
        told = texts(path.with_name(f"{match[1]}.txt"))
        language, text = match[2], told.get(match[2], "")
        if text == told[""] and any(map(str.isalpha, text)) and not language.startswith("en"):
            odd.append(LeftOut(id=name, kind="text", reason=f"its text was not translated to {language}"))
        elif text:
            speaker = "" if language in MANY_VOICES else language
            clips.append(Clip(id=name, path=path, text=text, language=language, speaker=speaker))
    return sifted(clips, recordings, odd)


def pictures(folder: Path, listing: Listing) -> Pairing:
    """Join each clip of the corpus to the picture that it describes; whose picture is no PNG is left out.

    The picture's name is the identity; pictures that are described in the same words, in any language, are one. What is
    matched is a meaning, and no person.
    """
    pairs, odd, marks = list[Pair](), list[LeftOut](), list[tuple[Hashable, ...]]()
    for clip in listing.clips:
        match = RECORDING.fullmatch(clip.path.name)
        assert match is not None
        image = clip.path.with_name(f"{match[1]}.png")
        if image.is_file():
            known = {"identity": flat(image, folder), "speaker": clip.speaker, "language": clip.language}
            pairs.append(Pair(id=clip.id, image=image, audio=clip.path, **known))
            marks.append((image, (clip.language, letters(clip.text) or image)))
        else:
            odd.append(LeftOut(id=clip.id, kind="no picture", reason=f"there is no {image.name} beside it"))
    for group in sharing(marks):
        together = "+".join(sorted({pairs[place].identity for place in group}))
        for place in group:
            pairs[place] = replace(pairs[place], identity=together)
    return Pairing(pairs=tuple(pairs), left_out=tuple(odd))


def _texts(path: Path) -> dict[str, str]:
    """Return the texts by language; that without a language, the English one, under an empty name."""
    lines = path.read_text(encoding="utf8").splitlines() if path.is_file() else []
    return {"": lines[0].strip() if lines else "", **dict(_translations(lines[1:]))}


def _translations(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        language, mark, text = line.partition(".utf8=")
        if mark:
            yield language.strip(), text.strip()
