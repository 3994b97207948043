"""The festvox layout: `etc/txt.done.data` with `( id "text" )` lines, `wav/ID.wav`, and `lab/ID.lab` where aligned.

A `+` before a vowel marks its stress (in Russian voices); `text.normalise` drops or keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, sifted

TEXTS = "etc/txt.done.data"
LINE = re.compile(r'\(\s*(\S+)\s+"((?:[^"\\]|\\.)*)"\s*\)')
ENGLISH = frozenset({"us", "uk"})  # festvox names English by its country


def found(folder: Path) -> list[Path]:
    """Return the folders of voices at or below `folder`."""
    return sorted(path.parent.parent for path in folder.rglob(TEXTS))


def read(folder: Path) -> Listing:
    """Read every voice at or below `folder`."""
    clips, audio, odd = list[Clip](), dict[str, Path](), list[LeftOut]()
    for voice in found(folder):
        clips += _clips(voice, odd)
        audio |= {path.stem: path for path in (voice / "wav").glob("*.wav")}
    return sifted(clips, audio, odd)


def _clips(voice: Path, odd: list[LeftOut]) -> Iterator[Clip]:
    language, speaker = _who(voice.name)
    for number, line in enumerate((voice / TEXTS).read_text(encoding="utf8").splitlines(), 1):
        if match := LINE.fullmatch(line.strip()):
            name, text = match[1], re.sub(r"\\(.)", r"\1", match[2])
            yield Clip(id=name, path=voice / "wav" / f"{name}.wav", text=text, language=language, speaker=speaker)
        elif line.strip():
            odd.append(LeftOut(id=f"{TEXTS} line {number}", kind="text", reason='not of the form ( id "text" )'))


def _who(voice: str) -> tuple[str, str]:
    """Read language and speaker off a voice's name: institute, language, speaker, kind, as `msu_ru_nsh_clunits`."""
    parts = voice.split("_")
    if len(parts) < 3:  # noqa: PLR2004 - the name says nothing
        return "", ""
    return ("en" if parts[1] in ENGLISH else parts[1]), parts[2]
