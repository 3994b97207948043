"""Pictures and sounds that the journal names, carried inside the page; what cannot be is said, never dropped."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases
from rerail.tell.artifacts import inside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rerail.tell.fields import Record

_LARGEST = 16 * 1024 * 1024  # bytes; a browser is slow to decode longer data addresses
_MOST = 100  # of one name; a slider with more is no slider
_BUDGET = {"image": 900_000, "audio": 1_200_000}  # bytes of all files of a kind; a page carries them a third larger
_FULL = 2  # times that, where the newest of many names are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One artifact: its data address, or the problem that kept it out of the page."""

    kind: str
    caption: str
    step: int
    path: str
    source: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What was kept under one name over the run, oldest first; `left_out` more were too many bytes for the page."""

    kind: str
    name: str
    items: tuple[Embedded, ...]
    left_out: int = 0


def strips(artifacts: Sequence[Record], folder: Path) -> list[Strip]:
    """The artifacts by kind (image, audio or other) and name, each thinned evenly to its share of the page's bytes."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in artifacts:
        groups.setdefault((_kind(record), fields.text(record, "name")), []).append(record)
    of_kind = Counter(kind for kind, _ in groups)
    spent: Counter[str] = Counter()
    found = []
    for (kind, name), records in groups.items():
        strip = _strip(kind, name, records, folder, _BUDGET.get(kind, 0) // of_kind[kind])
        weight = sum(len(item.source) for item in strip.items) * 3 // 4  # in the page as base64
        full = spent[kind] > 0 and spent[kind] + weight > _FULL * _BUDGET.get(kind, 0)
        spent[kind] += 0 if full else weight
        found.append(_named(strip) if full else strip)
    return found


def _named(strip: Strip) -> Strip:
    """What a full page says of files that it does not carry."""
    items = (replace(item, source="", problem=item.problem or "not shown: the page is full") for item in strip.items)
    return replace(strip, items=tuple(items))


def _strip(kind: str, name: str, records: Sequence[Record], folder: Path, share: int) -> Strip:
    kept = records if kind == "other" else _thinned(records, [_size(one, folder) for one in records], share)
    items = tuple(_embed(record, folder) for record in kept)
    title = name or "without a name"
    return Strip(kind=kind, name=title, items=items, left_out=len(records) - len(kept))


def _thinned(records: Sequence[Record], sizes: Sequence[int], share: int) -> list[Record]:
    """As many as fit, evenly over the run; the newest is there whatever its size, the first where two fit."""
    last = len(records) - 1
    for amount in range(min(len(records), _MOST), 1, -1):
        places = [round(place * last / (amount - 1)) for place in range(amount)]
        if sum(sizes[place] for place in places) <= share:
            return [records[place] for place in places]
    return [records[last]]


def _size(record: Record, folder: Path) -> int:
    """Bytes that the page would carry; what it cannot show costs nothing."""
    file = inside(folder, str(record.get("path", "")))
    return 0 if file is None or _problem(file) else file.stat().st_size


def _kind(record: Record) -> str:
    media = fields.text(record, "media")
    return media.partition("/")[0] if re.fullmatch(r"(image|audio)/[\w.+-]+", media) else "other"


def _embed(record: Record, folder: Path) -> Embedded:
    media, kind = fields.text(record, "media"), _kind(record)
    path = fields.text(record, "path", "no path")
    file = inside(folder, str(record.get("path", "")))
    problem = _problem(file) if kind != "other" else f"not shown: {media or 'no media type'}"
    content = b""
    if file is not None and not problem:
        content, problem = _content(file)
    return Embedded(
        kind=kind,
        caption=fields.text(record, "caption") or fields.text(record, "name", path),
        step=fields.whole(record, "step"),
        path=path,
        source="" if problem else f"data:{media};base64,{base64.b64encode(content).decode('ascii')}",
        problem=problem,
    )


def _content(file: Path) -> tuple[bytes, str]:
    """The bytes of a file, or why they cannot be had."""
    try:
        return file.read_bytes(), ""
    except OSError as error:  # not ours to read, or deleted just now
        return b"", f"not shown: it cannot be read ({error.strerror})"


def _problem(file: Path | None) -> str:
    """Why a file cannot be shown; empty when it can."""
    if file is None:
        return "not shown: it lies outside the run folder, or nowhere"
    if not file.is_file():
        return "missing: the journal names it, but the file is not there"
    size = file.stat().st_size
    if not size:
        return "not shown: the file is empty"
    return f"not shown: {phrases.weighed(size)} is too large for a page" if size > _LARGEST else ""
