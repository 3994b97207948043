"""Which charts a page shows, in which order, and what each says to those who cannot see it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases
from rerail.tell.page.charts import Chart
from rerail.tell.report import curves
from rerail.tell.report.lines import DASHES, Axis, Mark, chart, events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record
    from rerail.tell.story import Intervention, Series, Story

_MOST = 24  # charts in one section; a model with a hundred modules would drown the page
_POINTS = 60_000  # on a page; divided among its charts, they stay below a megabyte
_FEWEST = 400  # points a curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Charts that belong together; a folded one opens on demand. `key` is its anchor in the page."""

    key: str
    title: str
    about: str
    panels: tuple[Chart, ...]
    left_out: int = 0
    folded: bool = False
    empty: str = ""


def sections(run: Story) -> list[Section]:
    """Losses, gradients and updates, held-out metrics, knobs, everything else that was read."""
    names = sorted(run.series, key=lambda name: (_rank(name), name))
    losses = [name for name in names if name.startswith("loss/")]
    held_out = [name for name in names if name.startswith("eval/")]
    moving = [name for name in names if name.startswith(("grad/", "update/"))]
    others = [name for name in names if name not in {*losses, *held_out, *moving, "step"}]
    return [
        _signals(run, _LOSSES, losses),
        _signals(run, _MOVING, moving),
        _signals(run, _HELD_OUT, held_out),
        _knobs(run),
        _signals(run, _OTHERS, others),
    ]


def _rank(name: str) -> int:
    """The total before its parts, the whole norm before those of modules, what is rarely looked at last."""
    order = ("loss/total", "grad/norm", "update/ratio", "grad/norm/", "update/ratio/")
    exact = next((place for place, one in enumerate(order) if name == one), None)
    if exact is not None:
        return exact
    return next((place for place, one in enumerate(order) if one.endswith("/") and name.startswith(one)), len(order))


_LOSSES = Section(
    key="losses",
    title="Losses",
    about="Unweighted components, by tick. Red triangles at the upper edge are values not finite (or over 1e100).",
    panels=(),
    empty="No loss was read.",
)
_MOVING = Section(
    key="gradients",
    title="Gradients and updates",
    about="Norms before clipping, of all and by module; the ratio is that of an update to the weights it changed.",
    panels=(),
    empty="No gradient norm was read.",
)
_HELD_OUT = Section(
    key="held-out",
    title="Held-out metrics",
    about="Over optimizer steps.",
    panels=(),
    empty="Nothing was measured on held-out data.",
)
_OTHERS = Section(
    key="others",
    title="Other readings",
    about="Learning rate, times, norms.",
    panels=(),
    folded=True,
    empty="Nothing else was read.",
)
_KNOBS = "Adjustments on top of the run's own settings. Where a gradient clip is not drawn, the guard set none."


def marks(run: Story) -> list[Mark]:
    """Every intervention, numbered as in the table."""
    cases = enumerate(run.interventions, start=1)
    return [Mark(tick=one.tick, move=_drawn(one), number=number, text=_told(one)) for number, one in cases]


def shared(run: Story) -> dict[str, object]:
    """What all charts show: the interventions, and from which tick on the step is how far behind."""
    return {"data": {"events": events(marks(run), _timeline(run).span)}, "runs": {"step": _offsets(run)}}


def _drawn(case: Intervention) -> str:
    return case.moved if case.moved in DASHES else "HALT"


def _told(case: Intervention) -> str:
    """The move, and what led to it."""
    seen = "; ".join(phrases.seen(record) for record in case.findings[:2])
    return f"{fields.plain(case.moved)}, {seen}" if seen else fields.plain(case.moved)


def _offsets(run: Story) -> list[tuple[int, int]]:
    """(tick, step - tick) wherever the difference is another: few pairs, from which the page knows every step."""
    series = run.series.get("step")
    if series is None:
        return []
    pairs = [(tick, step - tick) for tick, step in zip(series.ticks, series.steps, strict=True)]
    return pairs[:1] + [now for before, now in pairwise(pairs) if before[1] != now[1]]


def _signals(run: Story, section: Section, names: Sequence[str]) -> Section:
    shown, numbered = names[:_MOST], marks(run)
    panels = tuple(_signal(run, name, numbered) for name in shown)
    return replace(section, panels=panels, left_out=len(names) - len(shown))


def _signal(run: Story, name: str, numbered: Sequence[Mark]) -> Chart:
    series, held_out = run.series[name], name.startswith("eval/")
    title, description = fields.plain(name), _described(series)
    if len(series.values) == 1:  # a chart of one point says no more than the number
        return Chart(title=title, description=description)
    curve = curves.thin(series.ticks, series.values, _limit(run))
    if held_out:
        steps = dict(zip(series.ticks, series.steps, strict=True))
        return chart(title, description, curve, Axis(steps=steps, span=(min(series.steps), max(series.steps))))
    return chart(title, description, curve, _timeline(run), numbered)


def _limit(run: Story) -> int:
    return max(_FEWEST, min(curves.LIMIT, _POINTS // max(1, len(run.series))))


def _timeline(run: Story) -> Axis:
    """All charts over ticks share one span, so that events stand at the same place in each."""
    first, last = (run.knobs[0][0], run.knobs[-1][0]) if run.knobs else (0, 0)
    return Axis(span=(first, last))


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
    panels += [_weight(run, name) for name in [*weights][:_MOST]]
    return Section(
        key="knobs",
        title="Knobs over time",
        about=_KNOBS,
        panels=tuple(panel for panel in panels if panel is not None),
        left_out=max(0, len(weights) - _MOST),
        empty="No knob ever left its neutral position.",
    )


def _knob(run: Story, title: str, name: str, neutral: float) -> Chart | None:
    given = [(tick, fields.number(knobs.get(name, neutral))) for tick, knobs in run.knobs]
    return _stairs(run, title, [(tick, neutral if value is None else value) for tick, value in given], neutral)


def _weight(run: Story, name: str) -> Chart | None:
    given = [(tick, fields.numbers(knobs, "weights").get(name, 1.0)) for tick, knobs in run.knobs]
    return _stairs(run, f"weight of {fields.plain(name)}", given, 1.0)


def _precision(run: Story) -> Chart | None:
    given = [(tick, _format(knobs)) for tick, knobs in run.knobs]
    names = [*dict.fromkeys(["as_run", *(name for _, name in given)])]
    values = [(tick, float(names.index(name))) for tick, name in given]
    return _stairs(run, "precision", values, 0.0, names=names)


def _format(knobs: Record) -> str:
    name = fields.text(knobs, "precision", "as_run")
    return "as_run" if phrases.is_neutral("precision", name) else name


def _stairs(
    run: Story, title: str, points: list[tuple[int, float]], neutral: float, names: Sequence[str] = ()
) -> Chart | None:
    """A knob over time; None for one that never moved."""
    moved = [value for _, value in points if value != neutral]
    if not moved:
        return None
    changes = _changes([(tick, value if math.isfinite(value) else math.nan) for tick, value in points])
    drawn = curves.thin([tick for tick, _ in changes], [value for _, value in changes], _limit(run))
    axis = Axis(span=_timeline(run).span, stairs=True, names=names)
    ends = dict.fromkeys((fields.figure(min(moved)), fields.figure(max(moved))))
    extent = f": {', '.join(names[1:])}" if names else f", at {' to '.join(ends)}"
    description = f"away from neutral at {fields.count(len(moved), 'tick')}{extent}"
    return chart(title, description, replace(drawn, beyond=()), axis, marks(run))  # infinite means off, not lost


def _changes(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The first and the last point, and those at which the value is another: stairs need no more."""
    pairs = zip([None, *points], points, strict=False)
    changed = [point for before, point in pairs if before is None or str(before[1]) != str(point[1])]
    return changed if changed[-1] == points[-1] else [*changed, points[-1]]
