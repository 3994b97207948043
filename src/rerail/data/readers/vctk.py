"""The layout of VCTK: `txt/p225/p225_001.txt` beside `wav48_silence_trimmed/p225/p225_001_mic1.flac` or `wav48/...wav`.

A folder names the speaker; all are English. Of two microphones the first is taken (the second is often missing).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, flat, sifted

SOUNDS = ("wav48_silence_trimmed", "wav48", "wav16", "wav")
ENDINGS = ("_mic1.flac", ".flac", ".wav")


def found(folder: Path) -> bool:
    """Say whether a folder holds texts and recordings by speaker."""
    return _sounds(folder) is not None and any((folder / "txt").glob("*/*.txt"))


def read(folder: Path) -> Listing:
    """Read every text and its recording."""
    sounds, odd = _sounds(folder), list[LeftOut]()
    assert sounds is not None
    audio = {flat(one, sounds): one for one in sorted(sounds.rglob("*")) if one.name.endswith(ENDINGS[1:])}
    audio = {name: one for name, one in audio.items() if not name.endswith("_mic2")}
    return sifted(list(_clips(folder, sounds, odd)), audio, odd)


def _sounds(folder: Path) -> Path | None:
    return next((folder / name for name in SOUNDS if (folder / name).is_dir()), None)


def _clips(folder: Path, sounds: Path, odd: list[LeftOut]) -> Iterator[Clip]:
    for text in sorted((folder / "txt").glob("*/*.txt")):
        speaker, name = text.parent.name, text.stem
        paths = [sounds / speaker / f"{name}{ending}" for ending in ENDINGS]
        try:
            said = " ".join(text.read_text(encoding="utf-8-sig").split())
        except UnicodeDecodeError as error:
            odd.append(LeftOut(id=name, kind="text", reason=f"its text is not UTF-8 at byte {error.start}"))
            continue
        path = next((one for one in paths if one.is_file()), paths[-1])
        yield Clip(id=name, path=path, text=said, speaker=speaker, language="en")
