"""The LJSpeech layout: `metadata.csv` with `id|text` or `id|text|normalised text`, and `wavs/ID.wav` or `.flac`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.problems import listed

COLUMNS = (2, 3)


def read(folder: Path) -> list[Clip]:
    """Read a corpus; of three columns the last is the text.

    Raises:
        ValueError: naming everything that is wrong with it, at most 20 places.
    """
    metadata = folder / "metadata.csv"
    clips, problems, seen = [], [], dict[str, int]()
    for number, line in enumerate(_lines(metadata), 1):
        if not line.strip():
            continue
        columns = line.split("|")
        clip = _clip(folder, columns)
        problems += [f"line {number}: {problem}" for problem in _problems(columns, clip, seen, number)]
        clips.append(clip)
    if not clips:
        problems = ["it has no lines; write one `id|text` line for each recording"]
    if problems:
        raise ValueError(listed(str(metadata), problems))
    return clips


def _lines(metadata: Path) -> list[str]:
    if not metadata.is_file():
        raise ValueError(f"{metadata}: no such file; give a folder in LJSpeech layout (metadata.csv and wavs/)")
    try:
        text = metadata.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before the first id
    except UnicodeDecodeError as error:
        line = metadata.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{metadata}: line {line} is not UTF-8; save the file with that encoding") from error
    return text.split("\n")  # splitlines would also split inside a text, at rare separators


def _clip(folder: Path, columns: list[str]) -> Clip:
    name, text = columns[0].strip(), columns[-1].strip()
    found = (folder / "wavs" / f"{name}{ending}" for ending in (".wav", ".flac"))
    path = next((path for path in found if path.is_file()), folder / "wavs" / f"{name}.wav")
    return Clip(id=name, path=path, text=text)


def _problems(columns: list[str], clip: Clip, seen: dict[str, int], number: int) -> Iterator[str]:
    if len(columns) not in COLUMNS:
        yield f"{len(columns)} column(s), expected id|text or id|text|normalised text; mend the line"
        return
    if not clip.text:
        yield "empty text; fill it in or remove the line"
    if not clip.id:
        yield "empty id; fill it in or remove the line"
        return
    if ".." in Path(clip.id).parts or Path(clip.id).is_absolute():
        yield f"id {clip.id!r} leads out of wavs/; rename the recording"
        return
    if clip.id in seen:
        yield f"id {clip.id!r} stands in line {seen[clip.id]} already; give each recording one line"
    seen.setdefault(clip.id, number)
    if not clip.path.is_file():
        yield f"{clip.path.name} (or .flac) is missing in {clip.path.parent}; restore it or remove the line"
    elif clip.path.stat().st_size == 0:
        yield f"{clip.path.name} is empty (0 bytes); restore it or remove the line"
