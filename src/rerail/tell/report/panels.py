"""Which charts a page shows, in which order, and what each says to those who cannot see it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases
from rerail.tell.report import curves
from rerail.tell.report.figures import DASHES, Axis, Mark, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record
    from rerail.tell.story import Series, Story

_LABEL = 16  # letters
_MOST = 24  # charts in one section; a model with a hundred modules would drown the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A chart with its name and a description in words."""

    title: str
    svg: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Charts that belong together; a folded one opens on demand."""

    title: str
    about: str
    panels: tuple[Panel, ...]
    left_out: int = 0
    folded: bool = False
    empty: str = ""


def sections(run: Story) -> list[Section]:
    """Losses, gradient norm, held-out metrics, knobs, everything else that was read."""
    names = sorted(run.series, key=lambda name: (name != "loss/total", name))
    losses = [name for name in names if name.startswith("loss/")]
    held_out = [name for name in names if name.startswith("eval/")]
    shown = {*losses, *held_out, "grad/norm", "step"}
    others = [name for name in names if name not in shown]
    gradient = [name for name in names if name == "grad/norm"]
    return [
        _signals(run, "Losses", _LOSSES, losses, "No loss was read."),
        _signals(run, "Gradient norm", "Before clipping.", gradient, "No gradient norm was read."),
        _signals(run, "Held-out metrics", "Over optimizer steps.", held_out, "Nothing was measured on held-out data."),
        _knobs(run),
        _signals(run, "Other readings", "Learning rate, times, norms.", others, "Nothing else was read.", folded=True),
    ]


_LOSSES = "Unweighted components, by tick. Red triangles at the upper edge are values not finite (or over 1e100)."


_KNOBS = "Adjustments on top of the run's own settings. Where a gradient clip is not drawn, the guard set none."


def marks(run: Story) -> list[Mark]:
    """Every intervention, numbered as in the table."""
    cases = enumerate(run.interventions, start=1)
    found = ((number, case, case.moved) for number, case in cases)
    return [Mark(tick=case.tick, move=move if move in DASHES else "HALT", number=n) for n, case, move in found]


def _signals(run: Story, title: str, about: str, names: Sequence[str], empty: str, *, folded: bool = False) -> Section:
    return Section(
        title=title,
        about=about,
        panels=tuple(_signal(run, name, f"{title[:1]}{index}") for index, name in enumerate(names[:_MOST])),
        left_out=max(0, len(names) - _MOST),
        folded=folded,
        empty=empty,
    )


def _signal(run: Story, name: str, key: str) -> Panel:
    series, held_out = run.series[name], name.startswith("eval/")
    xs = series.steps if held_out else series.ticks
    axis = Axis(label="optimizer step") if held_out else _timeline(run)
    if len(series.values) == 1:  # a chart of one point says no more than the number, and takes as long as others
        return Panel(title=fields.plain(name), svg="", description=_described(series))
    svg = draw(curves.thin(xs, series.values), key=key, axis=axis, marks=[] if held_out else marks(run))
    return Panel(title=fields.plain(name), svg=svg, description=_described(series))


def _timeline(run: Story) -> Axis:
    """All charts over ticks share one span, so that events stand at the same place in each."""
    ticks = [tick for tick, _ in run.knobs] or [0]
    return Axis(span=(min(ticks), max(ticks)))


def _described(series: Series) -> str:
    finite = [value for value in series.values if math.isfinite(value)]
    lost = len(series.values) - len(finite)
    if not finite:
        return f"{fields.count(lost, 'value')}, none of them finite"
    if len(series.values) == 1:
        return f"read once: {fields.figure(finite[0])}"
    ends = f"from {fields.figure(series.values[0])} to {fields.figure(series.values[-1])}"
    span = f"between {fields.figure(min(finite))} and {fields.figure(max(finite))}"
    return f"{ends}, {span}" + (f", {fields.count(lost, 'value')} not finite" if lost else "")


def _knobs(run: Story) -> Section:
    panels = [_knob(run, "learning rate factor", "lr_scale", 1.0), _knob(run, "gradient clip", "clip_norm", math.inf)]
    panels += [_knob(run, "share of the schedule's rate", "lr_standing", 1.0)]
    panels += [_knob(run, "learning rate at most", "lr_most", math.inf), _precision(run)]
    weights = dict.fromkeys(name for _, knobs in run.knobs for name in fields.mapping(knobs, "weights"))
    panels += [_weight(run, name, index) for index, name in enumerate([*weights][:_MOST])]
    return Section(
        title="Knobs over time",
        about=_KNOBS,
        panels=tuple(panel for panel in panels if panel is not None),
        left_out=max(0, len(weights) - _MOST),
        empty="No knob ever left its neutral position.",
    )


def _knob(run: Story, title: str, name: str, neutral: float) -> Panel | None:
    given = [(tick, fields.number(knobs.get(name, neutral))) for tick, knobs in run.knobs]
    return _stairs(
        run, title, f"K{name}", [(tick, neutral if value is None else value) for tick, value in given], neutral
    )


def _weight(run: Story, name: str, index: int) -> Panel | None:
    given = [(tick, fields.numbers(knobs, "weights").get(name, 1.0)) for tick, knobs in run.knobs]
    return _stairs(run, f"weight of {fields.plain(name)}", f"Kw{index}", given, 1.0)


def _precision(run: Story) -> Panel | None:
    given = [(tick, _format(knobs)) for tick, knobs in run.knobs]
    names = [*dict.fromkeys(["as_run", *(name for _, name in given)])]
    values = [(tick, float(names.index(name))) for tick, name in given]
    return _stairs(run, "precision", "Kprecision", values, 0.0, names=names)


def _format(knobs: Record) -> str:
    name = fields.text(knobs, "precision", "as_run")
    return "as_run" if phrases.is_neutral("precision", name) else name


def _stairs(
    run: Story, title: str, key: str, points: list[tuple[int, float]], neutral: float, names: Sequence[str] = ()
) -> Panel | None:
    """A knob over time; None for one that never moved."""
    moved = [value for _, value in points if value != neutral]
    if not moved:
        return None
    drawn = curves.thin([tick for tick, _ in points], [v if math.isfinite(v) else math.nan for _, v in points])
    axis = Axis(span=_timeline(run).span, size=(4.6, 1.5), stairs=True, names=[_short(name) for name in names])
    quiet = curves.Curve(x=drawn.x, y=drawn.y, lonely=drawn.lonely, beyond=())  # infinite means off here, not lost
    ends = dict.fromkeys((fields.figure(min(moved)), fields.figure(max(moved))))
    extent = f": {', '.join(names[1:])}" if names else f", at {' to '.join(ends)}"
    description = f"away from neutral at {fields.count(len(moved), 'tick')}{extent}"
    return Panel(title=title, svg=draw(quiet, key=key, axis=axis, marks=marks(run)), description=description)


def _short(name: str) -> str:
    """A label that fits beside a chart, in letters that every font has; the description says the whole name."""
    label = name.encode("ascii", "backslashreplace").decode("ascii")
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 3]}..."
