"""Where groups stand, what they differ by and how long they took, as cells of text with their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rerail.tell import fields
from rerail.tell.compare import student

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rerail.tell.compare import Comparison
    from rerail.tell.compare.course import Point
    from rerail.tell.compare.levels import At, Contrast, Row, Standing
    from rerail.tell.compare.reach import Goal, Target
    from rerail.tell.compare.student import Mean

_UNITS = {"steps": "steps", "samples": "samples", "time": "s"}
_NAMES = {"steps": "equal steps", "samples": "equal samples", "time": "equal time"}
_TESTED = ("p", "says")
_NONE = "not read"
_LEVELS = "Unweighted. Losses: median over the last 5 % of the way; held-out metrics: the newest."
_WELCH = "Differences have Welch's 95 % interval, p is two-sided."


def place(at: At) -> str:
    """`equal steps (500 steps)`, as a person says it."""
    amount = fields.figure(int(at.place) if at.place == int(at.place) else at.place)
    return f"{_NAMES[at.axis]} ({amount} {_UNITS[at.axis]})"


def at_place(told: Comparison, at: At) -> list[dict[str, Any]]:
    """The tables of a place: one of both where there are two groups, else differences by themselves."""
    labels = [group.label for group in told.groups]
    rows = [row for row in told.rows if row.at == at and any(map(_seen, row.groups))]
    found = [one for one in told.contrasts if one.at == at and any(one.signal == row.signal for row in rows)]
    seeds = " Means of the seeds have a 95 % t interval." if any(len(one.members) > 1 for one in told.groups) else ""
    table: dict[str, Any] = {"title": f"At {place(at)}", "headings": ("signal", *labels), "about": _LEVELS + seeds}
    if len(labels) == 2:  # noqa: PLR2004 (a single difference, which stands beside the two)
        by_signal = {one.signal: one for one in found}
        both = [(*_row(row), *_tested(by_signal[row.signal])) for row in rows]
        headings = (*table["headings"], f"{labels[1]} - {labels[0]}", *_TESTED)
        about = table["about"] + (f" {_WELCH}" if seeds else "")
        return [table | {"headings": headings, "rows": both, "about": about, "remark": tests(found)}]
    apart = _differences(f"Differences at {place(at)}", [(fields.plain(one.signal), one) for one in found])
    return [table | {"rows": [_row(row) for row in rows]}, *apart]


def to_reach(told: Comparison) -> list[dict[str, Any]]:
    """The tables of what it took to come to a value."""
    rows = [row for goal in told.goals for row in _goal(goal)]
    headings = ("signal", "value", "group", "reached by", "steps", "samples", "time, s")
    about = "Where a run comes to the value and stays there to its end; losses are smoothed as above." if rows else ""
    table = {"title": "What it took to reach a value", "headings": headings, "rows": rows, "about": about}
    found = [
        (f"{fields.plain(goal.target.signal)} {_value(goal.target)}", one)
        for goal in told.goals
        for one in goal.contrasts
    ]
    return [table, *_differences("Differences in steps to reach it", found)]


def _differences(title: str, found: Sequence[tuple[str, Contrast]]) -> list[dict[str, Any]]:
    if not found:
        return []
    rows = [(name, f"{one.second} - {one.first}", *_tested(one)) for name, one in found]
    headings = ("signal", "between", "difference", *_TESTED)
    return [
        {
            "title": title,
            "headings": headings,
            "rows": rows,
            "about": _WELCH,
            "remark": tests([one for _, one in found]),
        }
    ]


def _row(row: Row) -> tuple[str, ...]:
    return (fields.plain(row.signal), *map(_stands, row.groups))


def _seen(one: Standing) -> bool:
    return any(value is not None for value in one.runs.values())


def _stands(one: Standing) -> str:
    if one.mean is not None:
        return mean(one.mean)
    known = sum(value is not None for value in one.runs.values())
    return f"read in {known} of {len(one.runs)} runs" if known else _NONE


def mean(one: Mean) -> str:
    """`1.2 (0.9 to 1.5)`."""
    interval = "" if one.low is None else f" ({fields.figure(one.low)} to {fields.figure(one.high)})"
    return fields.figure(one.mean) + interval


def _tested(one: Contrast) -> tuple[str, str, str]:
    if one.difference is None:
        return "-", "-", f"not compared: {fields.plain(one.why)}"
    found = one.difference
    interval = "" if found.low is None else f" ({fields.figure(found.low)} to {fields.figure(found.high)})"
    return fields.figure(found.mean) + interval, "-" if found.p is None else fields.figure(found.p), says(one)


def says(one: Contrast) -> str:
    """What a difference shows, in words."""
    found = one.difference
    if found is None or found.p is None:
        return "no test"
    if found.shown:
        return f"{one.second} is {'lower' if found.mean < 0 else 'higher'}"
    return f"nothing: p is {fields.figure(found.least)} or more" if found.least >= student.LEVEL else "nothing"


def tests(found: Sequence[Contrast]) -> str:
    """How many tests were made, of which kind, and what that means."""
    made = [one.difference for one in found if one.difference and one.difference.p is not None]
    if not made:
        return ""
    kinds = " and ".join(sorted({one.test for one in made}))
    told = f"{fields.count(len(made), 'test')} ({kinds}), not corrected for their number:"
    told += " where nothing differs, one in 20 says something."
    if all(one.least >= student.LEVEL for one in made):
        told = f"{fields.count(len(made), 'test')} ({kinds}). With so few seeds no test can give p < {student.LEVEL},"
        told += f" whatever the numbers are; with {student.enough()} a group it can."
    return told


def _goal(goal: Goal) -> Iterable[tuple[str, ...]]:
    for group, runs in goal.reached.items():
        points = [point for point in runs.values() if point is not None]
        never = [name for name, point in runs.items() if point is None]
        told = f"{len(points)} of {len(runs)}" + (f" (never: {fields.listed(never, 4)})" if never else "")
        signal = fields.plain(goal.target.signal)
        yield (signal, _value(goal.target), group, told, *_cost(points, whole=not never))


def _cost(points: Sequence[Point], *, whole: bool) -> tuple[str, str, str]:
    """Means over the runs; those of the runs that came there would flatter the others."""
    if not whole:
        return "-", "-", "-"
    steps = student.mean([float(point.step) for point in points])
    samples = [point.samples for point in points if point.samples is not None]
    seen = mean(student.mean(samples)) if len(samples) == len(points) else "not known"
    return mean(steps), seen, mean(student.mean([point.seconds for point in points]))


def _value(target: Target) -> str:
    return f"{'<=' if target.falls else '>='} {fields.figure(target.value)}"
