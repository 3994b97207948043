"""Each signal over steps, samples and time.

A line is the mean of a group's seeds, and its band goes from the lowest to the highest of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rerail.tell import fields
from rerail.tell.compare.course import AXES
from rerail.tell.compare.smooth import SHARE, smoothed
from rerail.tell.page.charts import Chart, Hover
from rerail.tell.report import curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.compare import Comparison
    from rerail.tell.compare.course import Axis, Course
    from rerail.tell.compare.groups import Group

COLOURS = 8  # of the page; more groups begin anew, with dashes
_POINTS = 200  # a line
_DOTTED = 30  # of so few each is worth a dot
_MOST = 24  # charts in one section
_TITLES = {"steps": "optimizer step", "samples": "samples trained on", "time": "seconds alive"}
Point = tuple[float, float, float, float]  # place, mean, lowest, highest


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The charts over one axis."""

    title: str
    charts: Sequence[Chart]
    left_out: int
    folded: bool


def sections(told: Comparison) -> list[Section]:
    """The charts over each axis that is compared; signals that are refused somewhere are not drawn side by side."""
    unlike = {refusal.signal for _, refusal in told.refused}
    axes = [axis for axis in AXES if any(row.at.axis == axis for row in told.rows)]
    return [_section(told, axis, unlike) for axis in axes]


def _section(told: Comparison, axis: Axis, unlike: set[str]) -> Section:
    names = [name for name in dict.fromkeys(row.signal for row in told.rows) if name not in unlike]
    found = [(name, lines) for name in names if any(lines := [line(one, name, axis) for one in told.groups])]
    return Section(
        title=f"Over {_TITLES[axis]}s" if axis == "steps" else f"Over {_TITLES[axis]}",
        charts=[chart(name, axis, told.groups, lines) for name, lines in found[:_MOST]],
        left_out=max(0, len(found) - _MOST),
        folded=axis != "steps",
    )


def line(group: Group, signal: str, axis: Axis) -> list[Point]:
    """A group's line, as far as all its runs go: at each place the newest value of each run, smoothed where noisy."""
    found = [_curve(run, signal, axis) for run in group.members]
    if not all(found):
        return []
    first, last = max(one[0][0] for one in found), min(one[-1][0] for one in found)
    places = sorted({place for one in found for place, _ in one if first <= place <= last})
    stride = math.ceil(len(places) / _POINTS)
    kept = places[::-1][:: max(1, stride)][::-1]  # the end is always among them
    newest = [_newest(one, kept) for one in found]
    columns = zip(kept, zip(*newest, strict=True), strict=True)
    points = [(place, *_summed(each)) for place, each in columns]
    return points if any(math.isfinite(mean) for _, mean, _, _ in points) else []


def _summed(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, lowest and highest; nan where one of them is not finite, so that the line breaks."""
    whole = all(map(math.isfinite, values))
    return (fmean(values), min(values), max(values)) if whole else (math.nan, math.nan, math.nan)


def chart(signal: str, axis: Axis, groups: Sequence[Group], lines: Sequence[Sequence[Point]]) -> Chart:
    """One signal over one axis."""
    labelled = [(group.label, one) for group, one in zip(groups, lines, strict=True) if one]
    rows = [(label, *(_drawn(one) for one in point)) for label, points in labelled for point in points]
    finite = [low for _, points in labelled for *_, low, _ in points]
    columns = {name: [row[index] for row in rows] for index, name in enumerate(("group", "x", "mean", "low", "high"))}
    ends = ", ".join(f"{label} ends at {fields.figure(one[-1][1])}" for label, one in labelled)
    return Chart(
        title=fields.plain(signal),
        description=f"{ends}.",
        spec=_spec(axis, [group.label for group in groups], finite),
        data={"points": columns},
        hover=Hover(data="points", x="x", labels=[("group", "group"), ("x", _TITLES[axis]), ("mean", "mean")]),
    )


def _drawn(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _curve(run: Course, signal: str, axis: Axis) -> list[tuple[float, float]]:
    placed = [(place, value) for point, value in run.series.get(signal, ()) if (place := point.place(axis)) is not None]
    if not placed or not signal.startswith("loss/"):
        return placed
    places, values = zip(*placed, strict=True)
    return [*zip(places, smoothed(places, values, SHARE * places[-1]), strict=True)]


def _newest(curve: Sequence[tuple[float, float]], places: Sequence[float]) -> list[float]:
    found, index = [], 0
    for place in places:
        while index + 1 < len(curve) and curve[index + 1][0] <= place:
            index += 1
        found.append(curve[index][1])
    return found


def _spec(axis: Axis, labels: Sequence[str], values: Sequence[float]) -> dict[str, Any]:
    colours = [f"var(--group-{index % COLOURS})" for index in range(len(labels))]
    dashes = [[1, 0] if index < COLOURS else [5, 3] for index in range(len(labels))]
    group = {"field": "group", "type": "nominal", "sort": [*labels], "scale": {"domain": [*labels], "range": colours}}
    scale = curves.scale(values)
    vertical = {
        "type": "quantitative",
        "title": None,
        "scale": {"type": scale} | ({} if scale == "log" else {"zero": False}),
    }
    horizontal = {"field": "x", "type": "quantitative", "title": _TITLES[axis], "scale": {"nice": False, "zero": False}}
    band = {**vertical, "field": "low"}
    dash = {**group, "scale": {"domain": [*labels], "range": dashes}, "legend": None}
    mean = {"x": horizontal, "y": {**vertical, "field": "mean"}, "color": {**group, "legend": None}}
    fill = {"x": horizontal, "y": band, "y2": {"field": "high"}, "color": {**group, "legend": None}}
    layers = [
        {"mark": {"type": "area", "opacity": 0.16}, "encoding": fill},
        {
            "mark": {"type": "line", "point": len(values) <= _DOTTED * len(labels)},
            "encoding": {**mean, "strokeDash": dash},
        },
    ]
    return {"data": {"name": "points"}, "layer": layers}
