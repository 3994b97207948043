"""The layout of CMU Sphinx: `NAME.transcription` (or `transcription`) with `<s> text </s> (id)` lines, `ID.wav` beside.

The folder of a transcription file names the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, flat, sifted

LINE = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\((\S+)\)")


def found(folder: Path) -> list[Path]:
    """Return the transcription files at or below `folder`."""
    return sorted({*folder.rglob("*.transcription"), *folder.rglob("transcription")})


def read(folder: Path) -> Listing:
    """Read every transcription file at or below `folder`."""
    clips, audio, odd = list[Clip](), dict[str, Path](), list[LeftOut]()
    for texts in found(folder):
        audio |= {flat(path, folder): path for path in texts.parent.glob("*.wav")}
        clips += _clips(folder, texts, odd)
    return sifted(clips, audio, odd)


def _clips(folder: Path, texts: Path, odd: list[LeftOut]) -> Iterator[Clip]:
    for number, line in enumerate(texts.read_text(encoding="utf8").splitlines(), 1):
        if match := LINE.fullmatch(line.strip()):
            path = texts.parent / f"{match[2]}.wav"
            yield Clip(id=flat(path, folder), path=path, text=" ".join(match[1].split()), speaker=texts.parent.name)
        elif line.strip():
            odd.append(LeftOut(id=f"{texts.name} line {number}", kind="text", reason="not of the form text (id)"))
