"""A signal over time as a chart: its line, what a line cannot show, and the interventions as numbered rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rerail.tell.page.charts import Chart, Hover
from rerail.tell.report import curves
from rerail.tell.report.curves import Curve

DASHES: dict[str, list[int]] = {"SKIP": [1, 2], "REWIND": [5, 2], "HALT": [1, 0], "COMMIT": [5, 2, 1, 2]}
_DOTTED = 60  # up to so many points each is worth a dot
_LABELLED = 30  # more numbers than this would overlap
_DRAWN = 400  # rules across a chart; more of them are one grey wall
_PLAIN_FROM, _PLAIN_TO = 1e-2, 1e5  # outside, an axis is labelled in short form
_DECADES = 7  # labels of a symmetric axis
_ZOOM = {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.ctrlKey || event.metaKey]"}  # the wheel scrolls


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An intervention on the time axis."""

    tick: int
    move: str
    number: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How a chart is laid out; `names` label the values 0, 1, 2, ... of a signal that is a choice, not a number.

    `steps` gives the optimizer step of each tick where that is the horizontal axis.
    """

    span: tuple[float, float] | None = None
    stairs: bool = False
    names: Sequence[str] = ()
    steps: Mapping[int, int] | None = None


def chart(title: str, description: str, curve: Curve, axis: Axis, marks: Sequence[Mark] = ()) -> Chart:
    """The chart of one curve; of the marks only the number matters here, their data is shared by the page."""
    over = "tick" if axis.steps is None else "step"
    horizontal = _horizontal(over, axis)
    layers = [*_rules(horizontal, len(marks)), *_line(curve, horizontal, axis, over), *_odd(curve, horizontal)]
    data = {"points": _columns([*zip(curve.x, curve.y, strict=True)], axis)}
    if curve.lonely:
        data["alone"] = _columns(curve.lonely, axis)
    if curve.beyond:
        data["lost"] = _columns([(x, math.nan) for x in curve.beyond], axis)
    labels = [(over, over), *([("tick", "tick")] if axis.steps is not None else []), ("value", title)]
    hover = Hover(
        data="points",
        x=over,
        labels=labels,
        marks="events" if marks else "",
        lost="lost" if curve.beyond else "",
        index="step" if over == "tick" else "",
    )
    spec = {"layer": layers}
    return Chart(title=title, description=description, spec=spec, data=data, hover=hover, low=axis.stairs)


def events(marks: Sequence[Mark], span: tuple[float, float] | None) -> Mapping[str, Sequence[object]]:
    """The marks of a page as one data set; of those that would fall on one another the first is kept."""
    low, high = span or (-math.inf, math.inf)
    inside = [mark for mark in marks if low <= mark.tick <= high]
    width = max(1.0, (high - low) / _DRAWN) if span else 1.0
    kept = {(mark.move, int(mark.tick // width)): mark for mark in reversed(inside)}
    drawn = sorted(kept.values(), key=lambda mark: mark.number)
    return {
        "tick": [mark.tick for mark in drawn],
        "number": [mark.number for mark in drawn],
        "move": [mark.move for mark in drawn],
        "text": [mark.text for mark in drawn],
    }


def _horizontal(over: str, axis: Axis) -> dict[str, Any]:
    scale: dict[str, Any] = {"nice": False, "zero": False}
    if axis.span:
        margin = max(1.0, axis.span[1] - axis.span[0]) * 0.01
        scale["domain"] = [axis.span[0] - margin, axis.span[1] + 3 * margin]  # room for the last event's number
    title = "tick" if over == "tick" else "optimizer step"
    ruled = {"format": "d", "tickMinStep": 1, "tickCount": 6, "labelOverlap": True}
    return {"field": over, "type": "quantitative", "title": title, "scale": scale, "axis": ruled}


def _vertical(curve: Curve, axis: Axis) -> dict[str, Any]:
    if axis.names:
        return {"field": "value", "type": "ordinal", "title": None, "sort": [*reversed(axis.names)], "axis": _NAMED}
    kind, finite = curves.scale(curve.y), [y for y in curve.y if math.isfinite(y)]
    scale: dict[str, Any] = {"type": kind} | ({"nice": False} if kind == "log" else {"zero": False})
    ruled: dict[str, Any] = {"tickCount": 3 if axis.stairs else 5, "labelOverlap": True}
    if kind == "symlog":  # the straight part ends at the typical size of the values
        scale["constant"] = _typical(finite)
        ruled["values"] = _decades(finite, scale["constant"])
    if not finite or min(finite) == max(finite):
        scale["domain"] = _around(finite[0] if finite else 0.0)
    largest = max((abs(y) for y in finite), default=1.0)
    if kind != "linear" or not _PLAIN_FROM <= largest < _PLAIN_TO:
        ruled["format"] = ".4~g"
    return {"field": "value", "type": "quantitative", "title": None, "scale": scale, "axis": ruled}


_NAMED = {"labelLimit": 120, "grid": True}


def _typical(finite: Sequence[float]) -> float:
    sizes = sorted(abs(y) for y in finite if y)
    return sizes[len(sizes) // 2]


def _decades(finite: Sequence[float], constant: float) -> list[float]:
    """0 and powers of ten on both sides, a few of them: left alone, a symmetric axis labels its ends only."""
    low, high = math.floor(math.log10(constant)), math.ceil(math.log10(max(map(abs, finite))))
    stride = max(1, math.ceil((high - low) / (_DECADES // 2)))
    powers = [10.0**power for power in range(low, high + 1, stride)]
    return [*(-one for one in reversed(powers) if -one >= min(finite)), 0.0, *(p for p in powers if p <= max(finite))]


def _around(value: float) -> list[float]:
    """An axis for values that are all the same."""
    margin = abs(value) * 0.1 or 1.0
    return [value - margin, value + margin]


def _rules(horizontal: dict[str, Any], marks: int) -> list[dict[str, Any]]:
    if not marks:
        return []
    moves, colours = [*DASHES], [f"var(--{move})" for move in DASHES]
    colour = {"field": "move", "type": "nominal", "scale": {"domain": moves, "range": colours}, "legend": None}
    dash = {**colour, "scale": {"domain": moves, "range": [*DASHES.values()]}}
    rule = {
        "data": {"name": "events"},
        "mark": {"type": "rule", "clip": True},
        "encoding": {"x": horizontal, "color": colour, "strokeDash": dash},
    }
    number = {
        "data": {"name": "events"},
        "mark": {"type": "text", "clip": True, "align": "left", "dx": 3, "fontSize": 10},
        "encoding": {"x": horizontal, "y": {"value": 6}, "color": colour, "text": {"field": "number"}},
    }
    return [rule, number] if marks <= _LABELLED else [rule]


def _line(curve: Curve, horizontal: dict[str, Any], axis: Axis, over: str) -> list[dict[str, Any]]:
    vertical = _vertical(curve, axis)
    mark = {"type": "line", "clip": True, "invalid": "break-paths-show-path-domains"}
    mark |= {"interpolate": "step-after"} if axis.stairs else {}
    encoding = {"x": horizontal, "y": vertical} | ({"order": {"field": "tick"}} if over == "step" else {})
    dot = {"type": "circle", "clip": True, "color": "var(--line)", "opacity": 1, "size": 14, "invalid": "filter"}
    dotted = "points" if len(curve.x) <= _DOTTED and not axis.stairs else "alone" if curve.lonely else ""
    dots = [{"data": {"name": dotted}, "mark": dot, "encoding": {"x": horizontal, "y": vertical}}] if dotted else []
    zoom = [{"name": "zoom", "select": _ZOOM, "bind": "scales"}]
    return [*dots, {"data": {"name": "points"}, "mark": mark, "encoding": encoding, "params": zoom}]


def _odd(curve: Curve, horizontal: dict[str, Any]) -> list[dict[str, Any]]:
    """What is not finite stands as a triangle at the upper edge."""
    mark = {"type": "point", "shape": "triangle-down", "filled": True, "color": "var(--HALT)", "opacity": 1, "size": 60}
    encoding = {"x": horizontal, "y": {"value": 5}}
    return [{"data": {"name": "lost"}, "mark": mark | {"clip": True}, "encoding": encoding}] if curve.beyond else []


def _columns(points: Sequence[tuple[float, float]], axis: Axis) -> dict[str, Sequence[object]]:
    columns: dict[str, Sequence[object]] = {"tick": [_number(x) for x, _ in points]}
    if axis.steps is not None:
        columns["step"] = [axis.steps[int(x)] for x, _ in points]
    columns["value"] = [_value(y, axis) for _, y in points]
    return columns


def _value(y: float, axis: Axis) -> float | str | None:
    return axis.names[int(y)] if axis.names and math.isfinite(y) else _number(y)


def _number(value: float) -> float | int | None:
    """Five significant digits: a screen shows no more, and a page is small by it."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.5g}") if not float(value).is_integer() else value
    return int(rounded) if float(rounded).is_integer() and abs(rounded) < _PLAIN_TO * _PLAIN_TO else rounded
