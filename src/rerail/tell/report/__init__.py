"""report.html: one self-contained page a run, computed from its journal and the artifacts that the journal names.

It loads nothing from anywhere, runs its own scripts alone, and shows everything that users named as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rerail.tell import clock, fields, journal, page, story, words
from rerail.tell.report import interventions, lines, media, panels, proofs, summary

if TYPE_CHECKING:
    from rerail.tell.report.media import Strip
    from rerail.tell.story import Story

__all__ = ["write"]

_NOTIFIED = 200  # lines of notes, and of what the notifier did, the newest


def write(run_folder: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a run, as `report.html` in its folder by default, in place of an older one at once or never.

    Raises:
        ValueError: where the folder holds no journal.
    """
    folder = Path(run_folder)
    if not (folder / journal.NAME).is_file():
        raise ValueError(
            f"a report is made from a run's journal; got {fields.plain(folder)}, which holds no {journal.NAME}; "
            "give the folder of a run, such as runs/first"
        )
    text = _page(story.gather(journal.read(folder), name=folder.resolve().name), folder)
    return page.replace(Path(out) if out else folder / "report.html", text)


def _page(run: Story, folder: Path) -> str:
    rows = interventions.rows(run.interventions)
    told = _notified(folder)
    sections, strips = panels.sections(run), media.strips(run.artifacts, folder)
    proved = proofs.proofs(run.interventions[: interventions.SHOWN])
    return page.render(
        __name__,
        "page.html.jinja",
        scripts=(*page.charting(), page.packaged(__name__, "strips.js")),
        title=fields.plain(run.name),
        began=clock.day(run.began),
        contents=_contents(run, strips, proved=bool(proved), told=bool(told)),
        sentences=summary.sentences(run),
        levels=summary.levels(run.series),
        rows=rows[: interventions.SHOWN],
        rows_left_out=max(0, len(rows) - interventions.SHOWN),
        proofs=proved,
        unfolded=len(proved) <= proofs.OPEN,
        quarantined=run.quarantined[: interventions.SHOWN],
        quarantined_left_out=max(0, len(run.quarantined) - interventions.SHOWN),
        dashes=lines.DASHES,
        moves={mark.move for mark in panels.marks(run)},
        common=panels.shared(run),
        sections=sections,
        strips=strips,
        notified=told[-_NOTIFIED:],
        notified_left_out=max(0, len(told) - _NOTIFIED),
        settings=[("Configuration", summary.flat(run.config)), ("Environment", summary.flat(run.environment))],
        remarks=run.remarks[-_NOTIFIED:],
        remarks_left_out=max(0, len(run.remarks) - _NOTIFIED),
    )


def _contents(run: Story, strips: Sequence[Strip], *, proved: bool, told: bool) -> list[tuple[str, str]]:
    """The sections that this page has, in their order."""
    kinds = {strip.kind for strip in strips}
    there = [
        ("figures", "Figures", True),
        ("losses", "Losses", True),
        ("interventions", "Interventions", True),
        ("proofs", "Causes and proofs", proved),
        ("quarantine", "Quarantine", bool(run.quarantined)),
        ("gradients", "Gradients and updates", True),
        ("held-out", "Held-out metrics", True),
        ("knobs", "Knobs", True),
        ("image", "Pictures", "image" in kinds),
        ("audio", "Audio", "audio" in kinds),
        ("other", "Other files", "other" in kinds),
        ("told", "Told to people", told),
        ("notes", "Notes", bool(run.remarks)),
        ("configuration", "Configuration", True),
        ("environment", "Environment", True),
    ]
    return [(key, heading) for key, heading, shown in there if shown]


def _notified(folder: Path) -> list[tuple[str, str]]:
    """When the notifier of this run did what, from its own journal; nothing where it has none."""
    if not (folder / "notify" / journal.NAME).is_file():
        return []
    told = ((clock.moment(record), words.say(record)) for record in journal.read(folder / "notify"))
    return [(clock.day(time), text) for time, text in told if text]
