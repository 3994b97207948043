"""A comparison as tables of text: for the terminal, and with headings for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import clock, fields
from rerail.tell.compare import standings
from rerail.tell.compare.parting import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.compare import Comparison
    from rerail.tell.compare.course import Course
    from rerail.tell.compare.groups import Differs, Group
    from rerail.tell.compare.meaning import Refusal
    from rerail.tell.compare.parting import Apart, Parting

_KINDS = ("setting", "code", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its name and what a reader should know of it; `remark` stands below it."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    about: str = ""
    remark: str = ""


def tables(told: Comparison) -> list[Table]:
    """Everything of a comparison; a table without rows says what that means, or is left out."""
    found = [_runs(told), _differs(told), _refused(told.refused)]
    for at in dict.fromkeys(row.at for row in told.rows):
        found += [Table(**one) for one in standings.at_place(told, at)]
    found += [Table(**one) for one in standings.to_reach(told)]
    return [*(one for one in found if one.rows or one.about), _partings(told.partings)]


def _runs(told: Comparison) -> Table:
    rows = [_run(group, run, counted=run in group.members) for group in told.groups for run in group.runs]
    headings = ("run", "group", "seed", "steps", "samples", "time", "end", "guard acted")
    about = "; ".join(f"{group.label}: {group.about or 'nothing sets it apart'}" for group in told.groups)
    return Table(title="Runs", headings=headings, rows=rows, about=f"{about}.", remark=" ".join(told.remarks))


def _run(group: Group, run: Course, *, counted: bool) -> tuple[str, ...]:
    samples = run.end("samples")
    return (
        run.name,
        group.label if counted else f"{group.label} (repeat)",
        run.seed or "not known",
        str(run.points[-1].step),
        "not known" if samples is None else fields.figure(round(samples)),
        clock.duration(run.end("time") or 0.0),
        "broke off" if "error" in run.told.end else fields.text(run.told.end, "reason") or "none yet",
        fields.count(sum(case.moved != "COMMIT" for case in run.told.interventions), "time"),
    )


def _differs(told: Comparison) -> Table:
    groups = [group.label for group in told.groups]
    ordered: Sequence[Differs] = sorted(told.differs, key=lambda one: _KINDS.index(one.kind))
    rows = [(one.kind, fields.plain(one.name), *(one.values.get(group, "") for group in groups)) for one in ordered]
    about = "Settings, versions and data that are not the same in all runs." if rows else "Nothing."
    return Table(title="What differs", headings=("kind", "name", *groups), rows=rows, about=about)


def _refused(refused: Sequence[tuple[str, Refusal]]) -> Table:
    """Signals that are refused for the same reason share a line."""
    lines: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for between, one in refused:
        signals, sides = lines.setdefault((one.why, one.do), ({}, {}))
        signals[one.signal] = sides[between] = None
    rows = [
        (fields.listed([*signals], 4), fields.listed([*sides], 4), fields.plain(why), fields.plain(do))
        for (why, do), (signals, sides) in lines.items()
    ]
    about = "These are not ranked: the numbers do not mean the same." if rows else ""
    return Table(title="Not compared", headings=("signal", "between", "why", "do"), rows=rows, about=about)


def _partings(found: Sequence[Parting]) -> Table:
    rows = [(one.second, one.first, _seeds(one), _apart(one, one.exactly), _apart(one, one.losses)) for one in found]
    headings = ("run", "against", "seed", "any number", f"a loss, by {100 * TOLERANCE:g} %")
    about = "The first tick at which the two read different numbers; clocks and memory aside."
    return Table(title="Where the runs part", headings=headings, rows=rows, about=about)


def _seeds(one: Parting) -> str:
    first, second = (seed or "not known" for seed in one.seeds)
    return f"both {first}" if first == second else f"{second}, {first}"


def _apart(one: Parting, where: Apart | None) -> str:
    if where is None:
        return f"never, in {fields.count(one.compared, 'tick')}"
    values = tuple(map(fields.figure, (where.second, where.first)))
    if values[0] == values[1]:
        values = repr(where.second), repr(where.first)
    more = f" and {where.signals - 1} more" if where.signals > 1 else ""
    return f"tick {where.tick} (step {where.step}): {fields.plain(where.signal)} {values[0]} against {values[1]}{more}"
