"""The layout that Piper trains on: `metadata.csv` with `id|text` or `id|speaker|text`, and `wav/ID.wav` or `wavs/`.

LJSpeech has three columns too, and there the second is a text. So several speakers are read this way where asked for
(`--layout piper`), or where the recordings lie in `wav/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, flat, sifted

METADATA, FOLDERS, ENDINGS = "metadata.csv", ("wav", "wavs"), (".wav", ".flac")
SINGLE, SEVERAL = 2, 3  # columns


def found(folder: Path) -> bool:
    """Say whether recordings lie in `wav/`, beside a table."""
    return (folder / METADATA).is_file() and (folder / "wav").is_dir()


def read(folder: Path) -> Listing:
    """Read the table.

    Raises:
        ValueError: where it is missing, or not UTF-8.
    """
    table = folder / METADATA
    if not table.is_file():
        raise ValueError(f"{table}: no such file; give a folder with metadata.csv and wav/")
    try:
        lines = table.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{table}: not UTF-8 at byte {error.start}; save the file with that encoding") from error
    sounds, odd = (
        next((folder / one for one in FOLDERS if (folder / one).is_dir()), folder / FOLDERS[0]),
        list[LeftOut](),
    )
    audio = {flat(one, sounds): one for one in sorted(sounds.rglob("*")) if one.suffix in ENDINGS}
    return sifted(list(_clips(sounds, lines, odd)), audio, odd)


def _clips(sounds: Path, lines: list[str], odd: list[LeftOut]) -> Iterator[Clip]:
    for number, line in enumerate(lines, 1):
        columns = [one.strip() for one in line.split("|")]
        if len(columns) in (SINGLE, SEVERAL) and columns[0]:
            name = columns[0].removesuffix(".wav")
            paths = [sounds / f"{name}{ending}" for ending in ENDINGS]
            path = next((one for one in paths if one.is_file()), paths[0])
            speaker = columns[1] if len(columns) == SEVERAL else ""
            yield Clip(id="_".join(Path(name).parts), path=path, text=columns[-1], speaker=speaker)
        elif line.strip():
            odd.append(LeftOut(id=f"line {number}", kind="text", reason=f"{len(columns)} column(s), expected 2 or 3"))
