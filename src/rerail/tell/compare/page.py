"""A comparison as one self-contained page: what must not be compared first, then the tables and the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import fields, page
from rerail.tell.compare import charts
from rerail.tell.compare.tables import tables

if TYPE_CHECKING:
    from pathlib import Path

    from rerail.tell.compare import Comparison

_LEVELS = "At equal"  # the charts stand before the first of these tables


def write(told: Comparison, target: Path) -> Path:
    """Write the page, whole or not at all.

    Raises:
        ModuleNotFoundError: naming what to install.
    """
    return page.replace(target, text(told))


def text(told: Comparison) -> str:
    """The page."""
    drawn = charts.sections(told)
    return page.render(
        __package__ or "",
        "comparison.html.jinja",
        scripts=page.charting() if any(one.charts for one in drawn) else (),
        title=fields.listed([run.name for run in told.runs], 4),
        groups=[(group, index % charts.COLOURS) for index, group in enumerate(told.groups)],
        tables=(shown := tables(told)),
        tables_first=next((index for index, one in enumerate(shown) if one.title.startswith(_LEVELS)), None),
        sections=drawn,
        banded=any(len(group.members) > 1 for group in told.groups),
    )
