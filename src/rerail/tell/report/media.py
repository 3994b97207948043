"""Pictures and sounds that the journal names, carried inside the page; what cannot be is said, never dropped."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rerail.tell.fields import Record

_LARGEST = 16 * 1024 * 1024  # bytes; a browser is slow to decode longer data addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One artifact: its data address, or the problem that kept it out of the page."""

    kind: str
    caption: str
    step: int
    path: str
    source: str = ""
    problem: str = ""


def embed(artifacts: Sequence[Record], folder: Path) -> list[Embedded]:
    """Every artifact in the order given; `kind` is image, audio or other."""
    return [_embed(record, folder) for record in artifacts]


def _embed(record: Record, folder: Path) -> Embedded:
    media = fields.text(record, "media")
    kind = media.partition("/")[0] if re.fullmatch(r"(image|audio)/[\w.+-]+", media) else "other"
    path = fields.text(record, "path", "no path")
    file = folder / str(record.get("path", ""))
    problem = _problem(file, folder) if kind != "other" else f"not shown: {media or 'no media type'}"
    return Embedded(
        kind=kind,
        caption=fields.text(record, "caption") or fields.text(record, "name", path),
        step=fields.whole(record, "step"),
        path=path,
        source="" if problem else f"data:{media};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}",
        problem=problem,
    )


def _problem(file: Path, folder: Path) -> str:
    """Why a file cannot be shown; empty when it can."""
    if not file.resolve().is_relative_to(folder.resolve()):
        return "not shown: it lies outside the run folder"
    if not file.is_file():
        return "missing: the journal names it, but the file is not there"
    size = file.stat().st_size
    if not size:
        return "not shown: the file is empty"
    return f"not shown: {phrases.weighed(size)} is too large for a page" if size > _LARGEST else ""
