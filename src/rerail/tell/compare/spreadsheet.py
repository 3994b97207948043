"""A comparison as CSV, one number a line, for other programs.

Columns: `what` (level, difference, reach, refused), `signal`, `axis`, `at` (a place, seconds for time; of `reach` the
value to come to), `group` (two for a difference), `run` (empty for a group's mean), `value`, `low`, `high` (95 %
interval), `p`, `note` (the test, or why there is no value).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare import student
from rerail.tell.compare.course import AXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rerail.tell.compare import Comparison
    from rerail.tell.compare.levels import At, Contrast, Row
    from rerail.tell.compare.reach import Goal

COLUMNS = ("what", "signal", "axis", "at", "group", "run", "value", "low", "high", "p", "note")
_TEXTS = frozenset({"signal", "group", "run", "note"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes a cell that begins so
Line = dict[str, object]


def text(told: Comparison) -> str:
    """The whole file."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for line in lines(told):
        writer.writerow({name: _cell(value) if name in _TEXTS else value for name, value in line.items()})
    return file.getvalue()


def lines(told: Comparison) -> Iterator[Line]:
    """Levels, differences, what it took to reach a value, and what is refused."""
    for row in told.rows:
        yield from _level(row)
    for contrast in told.contrasts:
        yield _difference(contrast)
    for goal in told.goals:
        yield from _reach(goal)
    for between, refusal in told.refused:
        yield {"what": "refused", "signal": refusal.signal, "group": between, "note": f"{refusal.why}; {refusal.do}"}


def _level(row: Row) -> Iterable[Line]:
    about = {"what": "level", "signal": row.signal, **_at(row.at)}
    for one in row.groups:
        for run, value in one.runs.items():
            yield {**about, "group": one.group, "run": run, **_value(value)}
        if one.mean is not None:
            interval = {"value": one.mean.mean, "low": _blank(one.mean.low), "high": _blank(one.mean.high)}
            yield {**about, "group": one.group, **interval}


def _difference(one: Contrast) -> Line:
    about: Line = {"what": "difference", "signal": one.signal, **_at(one.at), "group": f"{one.second} - {one.first}"}
    found = one.difference
    if found is None:
        return {**about, "note": one.why}
    numbers = {"value": found.mean, "low": _blank(found.low), "high": _blank(found.high), "p": _blank(found.p)}
    return {**about, **numbers, "note": found.test}


def _reach(goal: Goal) -> Iterable[Line]:
    for group, runs in goal.reached.items():
        for axis in AXES:
            about = {
                "what": "reach",
                "signal": goal.target.signal,
                "axis": axis,
                "at": goal.target.value,
                "group": group,
            }
            values = {run: point.place(axis) if point else None for run, point in runs.items()}
            for run, value in values.items():
                yield {**about, "run": run, **_value(value, "never" if runs[run] is None else "not known")}
            known = [value for value in values.values() if value is not None]
            if len(known) == len(values):
                mean = student.mean(known)
                yield {**about, "value": mean.mean, "low": _blank(mean.low), "high": _blank(mean.high)}


def _at(at: At) -> Line:
    return {"axis": at.axis, "at": at.place}


def _value(value: float | None, missing: str = "not read") -> Line:
    return {"note": missing} if value is None else {"value": value}


def _blank(value: float | None) -> object:
    return "" if value is None else value


def _cell(value: object) -> str:
    """A name as text: no control character, and nothing that a spreadsheet would take for a formula."""
    line = fields.plain(value)
    return f"'{line}" if str(value).lstrip(" ").startswith(_FORMULA) else line
