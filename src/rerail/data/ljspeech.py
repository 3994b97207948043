"""The LJSpeech layout: `metadata.csv` with `id|text` or `id|text|normalised text`, and `wavs/ID.wav` or `.flac`.

A first line of column names, as `id|text|speaker|language`, tells who speaks and which language. Other tables of the
same form may lie beside `metadata.csv`, such as `train.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, Listing, sifted
from rerail.data.problems import listed

METADATA, WAVS, ENDINGS = "metadata.csv", "wavs", (".wav", ".flac")
COLUMNS = (2, 3)
NAMED = (["id", "text", "speaker"], ["id", "text", "speaker", "language"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line of a table: the clip in it, and what is wrong with either."""

    number: int
    clip: Clip
    problems: tuple[str, ...]


def read(place: Path) -> list[Clip]:
    """Read a corpus, or one table of it; of three columns without names the last is the text.

    Raises:
        ValueError: naming everything that is wrong with it, at most 20 places.
    """
    table = _table(place)
    rows = list(_rows(table))
    problems = [f"line {row.number}: {problem}" for row in rows for problem in row.problems]
    if not rows:
        problems = ["it has no lines; write one `id|text` line for each recording"]
    if problems:
        raise ValueError(listed(str(table), problems))
    return [row.clip for row in rows]


def sift(place: Path) -> Listing:
    """Read what is sound in a corpus, and name the rest.

    Raises:
        ValueError: where there is no table, or it is not UTF-8.
    """
    table = _table(place)
    rows = list(_rows(table))
    odd = [_left_out(row) for row in rows if row.problems]
    folder = table.parent / WAVS
    audio = {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*")) if _sound(path)}
    return sifted((row.clip for row in rows if not row.problems), audio, odd)


def write(table: Path, clips: Sequence[Clip]) -> None:
    """Write a table of clips; speaker and language have columns where any clip has one."""
    named = any(clip.speaker or clip.language for clip in clips)
    rows = [[clip.id, clip.text, *([clip.speaker, clip.language] if named else [])] for clip in clips]
    lines = ["|".join(row) for row in ([NAMED[-1]] if named else []) + rows]
    table.write_text("".join(f"{line}\n" for line in lines), encoding="utf8")


def _table(place: Path) -> Path:
    return place if place.suffix == ".csv" and not place.is_dir() else place / METADATA


def _rows(table: Path) -> Iterator[_Row]:
    lines, seen = _lines(table), dict[str, int]()
    first = lines[0].strip().split("|") if lines else []
    named = first in NAMED
    for number, line in enumerate(lines, 1):
        if not line.strip() or (named and number == 1):
            continue
        columns = line.split("|")
        clip = _clip(table.parent, columns, named=named)
        allowed = (len(first),) if named else COLUMNS
        yield _Row(number=number, clip=clip, problems=tuple(_problems(columns, allowed, clip, seen, number)))


def _lines(table: Path) -> list[str]:
    if not table.is_file():
        raise ValueError(f"{table}: no such file; give a folder in LJSpeech layout (metadata.csv and wavs/)")
    try:
        text = table.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before the first id
    except UnicodeDecodeError as error:
        line = table.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{table}: line {line} is not UTF-8; save the file with that encoding") from error
    return text.split("\n")  # splitlines would also split inside a text, at rare separators


def _clip(folder: Path, columns: list[str], *, named: bool) -> Clip:
    cells = [one.strip() for one in columns]
    name = cells[0]
    found = (folder / WAVS / f"{name}{ending}" for ending in ENDINGS)
    path = next((path for path in found if path.is_file()), folder / WAVS / f"{name}.wav")
    if not named:
        return Clip(id=name, path=path, text=cells[-1])
    text, speaker, language = [*cells[1:], "", "", ""][:3]
    return Clip(id=name, path=path, text=text, speaker=speaker, language=language)


def _problems(
    columns: list[str], allowed: tuple[int, ...], clip: Clip, seen: dict[str, int], number: int
) -> Iterator[str]:
    if len(columns) not in allowed:
        expected = "id|text or id|text|normalised text" if allowed == COLUMNS else f"the {allowed[0]} of line 1"
        yield f"{len(columns)} column(s), expected {expected}; mend the line"
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


def _left_out(row: _Row) -> LeftOut:
    name, reason = row.clip.id or f"line {row.number}", row.problems[0]
    return LeftOut(id=name, kind="no audio" if reason.startswith(f"{row.clip.path.name} ") else "text", reason=reason)


def _sound(path: Path) -> bool:
    return path.suffix in ENDINGS
