"""report.html: one self-contained page a run, computed from its journal and the artifacts that the journal names.

It loads nothing from anywhere, runs no script, and shows everything that users named as text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rerail.core.extras import need
from rerail.tell import fields, journal, page, story
from rerail.tell.report import interventions, media, panels, proofs, summary

if TYPE_CHECKING:
    from rerail.tell.story import Story

__all__ = ["write"]


def write(run_folder: str | Path) -> Path:
    """Write `report.html` into a run folder from its `journal.jsonl`, replacing an older one at once or not at all."""
    folder = Path(run_folder)
    source = folder / "journal.jsonl"
    if not source.is_file():
        raise ValueError(
            f"a report is made from a run's journal; got {fields.plain(folder)}, which holds no journal.jsonl; "
            "give the folder of a run, such as runs/first"
        )
    text = _page(story.gather(journal.read(folder), name=folder.resolve().name), folder)
    return page.replace(folder / "report.html", text)


def _page(run: Story, folder: Path) -> str:
    jinja2 = need("jinja2", extra="report")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    rows = interventions.rows(run.interventions)
    text: str = environment.from_string(page.packaged(__name__, "page.html.jinja")).render(
        css=page.css(),
        title=fields.plain(run.name),
        began=summary.moment(run.began),
        sentences=summary.sentences(run),
        levels=summary.levels(run.series),
        rows=rows[: interventions.SHOWN],
        rows_left_out=max(0, len(rows) - interventions.SHOWN),
        proofs=(proved := proofs.proofs(run.interventions[: interventions.SHOWN])),
        unfolded=len(proved) <= proofs.OPEN,
        quarantined=run.quarantined[: interventions.SHOWN],
        quarantined_left_out=max(0, len(run.quarantined) - interventions.SHOWN),
        moves={mark.move for mark in panels.marks(run)},
        sections=panels.sections(run),
        embedded=media.embed(run.artifacts, folder),
        settings=[("Configuration", summary.flat(run.config)), ("Environment", summary.flat(run.environment))],
        remarks=run.remarks,
    )
    return text
