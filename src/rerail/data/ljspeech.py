"""The LJSpeech layout: `metadata.csv` with `id|text` or `id|text|normalised text`, and `wavs/ID.wav` or `.flac`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.clip import Clip

COLUMNS = (2, 3)
MOST_PROBLEMS = 20


def read(folder: Path) -> list[Clip]:
    """Read a corpus.

    Raises:
        ValueError: naming everything that is wrong with it, at most 20 places.
    """
    metadata = folder / "metadata.csv"
    if not metadata.is_file():
        raise ValueError(f"{metadata}: no such file; give a folder in LJSpeech layout (metadata.csv and wavs/)")
    lines = metadata.read_text(encoding="utf8").splitlines()
    clips, problems, seen = [], [], dict[str, int]()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        clip = _clip(folder, line.split("|"))
        problems += [f"line {number}: {problem}" for problem in _problems(line.split("|"), clip, seen, number)]
        clips.append(clip)
    if not clips and not problems:
        problems = ["it has no lines; write one `id|text` line for each recording"]
    if problems:
        raise ValueError(_all_of(metadata, problems))
    return clips


def _clip(folder: Path, columns: list[str]) -> Clip:
    name, text = columns[0].strip(), columns[-1].strip()
    found = (folder / "wavs" / f"{name}{ending}" for ending in (".wav", ".flac"))
    path = next((path for path in found if path.is_file()), folder / "wavs" / f"{name}.wav")
    return Clip(id=name, path=path, text=text)


def _problems(columns: list[str], clip: Clip, seen: dict[str, int], number: int) -> Iterator[str]:
    if len(columns) not in COLUMNS:
        yield f"{len(columns)} columns, expected id|text or id|text|normalised text; mend the line"
        return
    if not clip.id or not clip.text:
        yield f"empty {'text' if clip.id else 'id'}; fill it in or remove the line"
    if clip.id in seen:
        yield f"id {clip.id!r} stands in line {seen[clip.id]} already; give each recording one line"
    seen.setdefault(clip.id, number)
    if not clip.path.is_file():
        yield f"{clip.path.name} (or .flac) is missing in {clip.path.parent}; restore it or remove the line"
    elif clip.path.stat().st_size == 0:
        yield f"{clip.path.name} is empty (0 bytes); restore it or remove the line"


def _all_of(path: Path, problems: list[str]) -> str:
    shown = "\n  ".join(problems[:MOST_PROBLEMS])
    more = len(problems) - MOST_PROBLEMS
    return f"{path}: {len(problems)} problem(s)\n  {shown}" + (f"\n  and {more} more" if more > 0 else "")
