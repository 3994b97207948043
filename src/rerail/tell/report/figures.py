"""Curves drawn by matplotlib as SVG that belongs into a page: it scales, follows the page's colours, clashes with none.

Colours are drawn as stand-ins and replaced by CSS variables, so that one drawing is right in light and in dark.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rerail.core.extras import need
from rerail.tell import fields
from rerail.tell.report import curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rerail.tell.report.curves import Curve

_COLOURS = {  # stand-in -> CSS variable; values that no style would choose by chance
    "#fe0101": "--ink",
    "#fe0102": "--muted",
    "#fe0103": "--grid",
    "#fe0104": "--line",
    "#fe0105": "--SKIP",
    "#fe0106": "--REWIND",
    "#fe0107": "--HALT",
    "#fe0108": "--COMMIT",
}
_STAND_IN = {variable.removeprefix("--"): colour for colour, variable in _COLOURS.items()}
DASHES: dict[str, tuple[float, Sequence[float]]] = {
    "SKIP": (0, (1, 2)),
    "REWIND": (0, (5, 2)),
    "HALT": (0, ()),
    "COMMIT": (0, (5, 2, 1, 2)),
}  # not colour alone
_DOTTED = 60  # up to so many points each is worth a dot
_LABELLED = 30  # more numbers than this would overlap
_STYLE = {"svg.fonttype": "none", "font.family": ["sans-serif"], "font.size": 8.0, "axes.unicode_minus": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An intervention on the time axis."""

    tick: int
    move: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How a chart is laid out; `names` label the values 0, 1, 2, ... of a signal that is a choice, not a number."""

    label: str = "tick"
    span: tuple[float, float] | None = None
    size: tuple[float, float] = (4.6, 2.1)
    stairs: bool = False
    names: Sequence[str] = ()


def draw(curve: Curve, *, key: str, axis: Axis, marks: Sequence[Mark] = ()) -> str:
    """The chart as one `<svg>` element; `key` sets its ids apart from those of the page's other charts."""
    matplotlib, figure = need("matplotlib", extra="report"), need("matplotlib.figure", extra="report")
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": key}):
        sheet = figure.Figure(figsize=axis.size, layout="constrained")
        axes = sheet.add_subplot()
        _frame(axes, curve, axis)
        _line(axes, curve, axis)
        low, high = axis.span or (-math.inf, math.inf)
        _marks(axes, [mark for mark in marks if low <= mark.tick <= high])  # a number outside would crush the chart
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        sheet.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _for_page(buffer.getvalue(), key)


def _frame(axes: Axes, curve: Curve, axis: Axis) -> None:
    scaling: dict[str, Any] = {"value": "linear"} if axis.names else _scaling(curve)
    axes.set_yscale(**scaling)
    if scaling["value"] != "linear":
        _plain_labels(axes, logarithmic=scaling["value"] == "log")
    axes.set_xlabel(axis.label, color=_STAND_IN["muted"])
    axes.tick_params(which="both", colors=_STAND_IN["muted"], length=0)
    axes.grid(visible=True, color=_STAND_IN["grid"], linewidth=0.6)
    for side in axes.spines.values():
        side.set_visible(False)
    if axis.span:
        margin = max(1.0, axis.span[1] - axis.span[0]) * 0.01
        axes.set_xlim(axis.span[0] - margin, axis.span[1] + margin)
    if axis.names:
        axes.set_yticks(range(len(axis.names)), labels=axis.names, parse_math=False)
        axes.set_ylim(-0.5, len(axis.names) - 0.5)


def _plain_labels(axes: Axes, *, logarithmic: bool) -> None:
    """0.5, 20, 1e9 in place of powers of ten: within one or two decades only these tell the values apart."""
    ticker = need("matplotlib.ticker", extra="report")
    if logarithmic:
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: fields.figure(float(value))))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _scaling(curve: Curve) -> dict[str, Any]:
    """Arguments for `set_yscale`; the straight part of a symmetric axis ends at the typical size of the values."""
    kind = curves.scale(curve.y)
    if kind != "symlog":
        return {"value": kind}
    sizes = sorted(abs(y) for y in curve.y if math.isfinite(y) and y)
    return {"value": kind, "linthresh": sizes[len(sizes) // 2]}


def _line(axes: Axes, curve: Curve, axis: Axis) -> None:
    colour, dot = _STAND_IN["line"], "." if len(curve.x) <= _DOTTED else ""
    (line,) = axes.plot(curve.x, curve.y, color=colour, linewidth=1.3, marker=dot, markersize=4)
    line.set_drawstyle("steps-post" if axis.stairs else "default")
    if curve.lonely:
        axes.plot(*zip(*curve.lonely, strict=True), ".", color=colour, markersize=3)
    if curve.beyond:
        edge, above = [0.985] * len(curve.beyond), axes.get_xaxis_transform()
        axes.plot(curve.beyond, edge, "v", color=_STAND_IN["HALT"], markersize=5, transform=above, clip_on=False)


def _marks(axes: Axes, marks: Sequence[Mark]) -> None:
    for move, dash in DASHES.items():
        ticks = [mark.tick for mark in marks if mark.move == move]
        above = axes.get_xaxis_transform()
        axes.vlines(ticks, 0, 1, transform=above, colors=_STAND_IN[move], linestyles=dash, linewidth=1, zorder=1)
    for mark in marks if len(marks) <= _LABELLED else ():
        text = axes.annotate(str(mark.number), (mark.tick, 1.03), xycoords=("data", "axes fraction"), ha="center")
        text.set(color=_STAND_IN[mark.move], fontsize=7)


def _for_page(svg: str, key: str) -> str:
    """Only the element itself, sized by its surroundings; tags alone are changed, never text."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<(metadata|style).*?</\1>", "", element, flags=re.DOTALL)
    element = re.sub(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', element)
    return re.sub(r"<[^>]+>", lambda tag: _tag(tag.group(), key), element).strip()


def _tag(tag: str, key: str) -> str:
    tag = re.sub(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)', f"{key}-", tag).replace("xlink:href", "href")
    return re.sub(r"#fe010[1-8]", lambda found: f"var({_COLOURS[found.group()]})", tag)
