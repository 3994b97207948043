"""The layout of Asterisk's prompts: `core-sounds-LL.txt` (or `.txt.gz`) with `path: text` lines, and the recordings.

Recordings lie in a folder `LL_CC_sex_Speaker`, or beside the texts, as `.g722`, `.wav` or `.flac`. What stands in
`[...]` is a tone or a sign, not spoken.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, flat, sifted

TEXTS = re.compile(r"core-sounds-([a-z]{2})\.txt(\.gz)?")
ENDINGS = (".g722", ".wav", ".flac")
BRACKETS = re.compile(r"\[[^]]*\]")


def found(folder: Path) -> list[Path]:
    """Return the text files at or below `folder`."""
    return sorted(path for path in folder.rglob("core-sounds-*") if TEXTS.fullmatch(path.name))


def read(folder: Path) -> Listing:
    """Read every language at or below `folder`; where there are several, ids begin with theirs."""
    clips, audio, tones = list[Clip](), dict[str, Path](), list[LeftOut]()
    files = found(folder)
    for texts in files:
        language = texts.name.removeprefix("core-sounds-")[:2]
        sounds = _sounds(folder, texts, language)
        prefix = f"{language}_" if len(files) > 1 else ""
        audio |= {prefix + flat(path, sounds): path for path in _recordings(sounds)}
        for name, text in _lines(texts):
            clip = _clip(prefix + name.replace("/", "_"), text, audio, sounds, language)
            if clip.text or not text:
                clips.append(clip)
            else:
                tones.append(LeftOut(id=clip.id, kind="tone", reason=f"{text} is not speech"))
    return sifted(clips, audio, tones)


def _clip(name: str, text: str, audio: dict[str, Path], sounds: Path, language: str) -> Clip:
    speaker = sounds.name.split("_")[-1] if sounds.name.startswith(f"{language}_") else ""
    spoken = " ".join(BRACKETS.sub(" ", text).split())
    path = audio.get(name, sounds / f"{name}{ENDINGS[0]}")
    return Clip(id=name, path=path, text=spoken, language=language, speaker=speaker)


def _lines(texts: Path) -> Iterator[tuple[str, str]]:
    content = texts.read_bytes()
    lines = (gzip.decompress(content) if texts.suffix == ".gz" else content).decode("utf8").splitlines()
    for line in lines:
        name, colon, text = line.partition(":")
        if colon and not line.startswith(";"):
            yield name.strip(), text.strip()


def _sounds(folder: Path, texts: Path, language: str) -> Path:
    named = [path for path in sorted(folder.rglob(f"{language}_*")) if path.is_dir() and _recordings(path)]
    return named[0] if named else texts.parent


def _recordings(sounds: Path) -> list[Path]:
    return [path for path in sorted(sounds.rglob("*")) if path.suffix in ENDINGS]
