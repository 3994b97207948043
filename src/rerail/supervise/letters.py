"""Notices that go together, as one letter in the language that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from rerail.core.dispatch import Bundle, Waiting
from rerail.core.notice import Notice
from rerail.tell import catalogue, fields
from rerail.tell.artifacts import inside
from rerail.tell.services import Letter

HINT = "hint"  # a value of a notice that only the supervisor knows


def letter(bundle: Bundle, language: str, run: Path, zone: tzinfo, drawn: Mapping[str, bytes] | None = None) -> Letter:
    """Put a bundle into words: one notice whole, several as a line each. `drawn` are curves, by a notice's id."""
    only = bundle.items[0] if len(bundle.items) == 1 else None
    titles = [_titled(one, language) for one in bundle.items]
    first = catalogue.text(bundle.items[0].notice, language)
    run_name = bundle.items[0].notice.values.get("run", "")
    title = titles[0] if only else catalogue.phrase("digest", language, run=run_name, count=len(titles))
    lines = _whole(only, language) if only else [f"- {one}" for one in titles]
    if bundle.until is not None:
        clock = datetime.fromtimestamp(bundle.until, zone).strftime("%H:%M")
        lines.append(catalogue.phrase("spent", language, clock=clock))
    pictures = [path for one in bundle.items for path in _pictures(one.notice, run)][: 1 if only is None else 4]
    curves = [drawn[only.notice.id]] if only and drawn and only.notice.id in drawn else []
    return Letter(
        title=title,
        lines=tuple(lines),
        pictures=(*pictures, *curves),
        direction="rtl" if first.right_to_left or (not only and catalogue.language(language).right_to_left) else "ltr",
        level=bundle.level,
        most=max(1, min(4, bundle.room)),
    )


def _titled(one: Waiting, language: str) -> str:
    title = catalogue.text(one.notice, language).title
    if not one.more:
        return title
    return f"{title} {catalogue.phrase('more', language, more=one.more, first=one.first, last=one.last)}"


def _whole(one: Waiting, language: str) -> list[str]:
    told = [f"{label}: {text}" for label, text in catalogue.text(one.notice, language).lines]
    hint = one.notice.values.get(HINT, "")
    return [*told, fields.plain(hint)] if hint else told


def _pictures(notice: Notice, run: Path) -> list[Path]:
    """The notice's files, as far as they are there, in the run's folder."""
    found = filter(None, (inside(run, one) for one in notice.pictures))
    return [path for path in found if path.is_file()]
