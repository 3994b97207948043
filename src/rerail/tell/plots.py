"""A run's curves as one picture: for messages, and for whoever asks for it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rerail.core.extras import need
from rerail.tell import fields

if TYPE_CHECKING:
    from rerail.tell.story import Intervention, Series, Story

_POINTS = 1500  # of one curve; a picture has no more columns
_MOST = 10  # curves of one panel, as many as there are colours
_MARKS = {"SKIP": ("skipped", "0.75"), "REWIND": ("went back", "tab:orange"), "HALT": ("halted", "tab:red")}
_FEW = 40  # points that are worth a dot each
_SHOWN = 400  # interventions of one kind

Curve = tuple[list[int], list[float]]  # steps, values


def plot(run: Story, signals: Sequence[str] = ()) -> bytes:
    """Draw curves over steps, interventions marked, as a PNG 900 pixels wide: a panel of losses, one of the rest.

    Without `signals` these are the unweighted losses (the total where there is nothing else) and the held-out metrics.
    Of a step that was run several times the last attempt counts. Names are drawn as they are, none as a formula.

    Raises:
        ValueError: for unknown signals, naming those that there are; where nothing was read yet.
    """
    need("matplotlib", extra="report")
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)

    panels = [one for one in _panels(run.series, signals) if one]
    figure = Figure(figsize=(9, 1 + 2.8 * len(panels)), dpi=100, layout="constrained")
    title = figure.suptitle(fields.plain(run.name, 80), parse_math=False, fontsize="medium")
    title.set_usetex(False)
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for place, names in zip(axes, panels, strict=True):
        _draw(place, {name: _curve(run.series[name]) for name in names}, run.interventions)
    axes[-1].set_xlabel("step")
    return _png(figure)


def _panels(series: Mapping[str, Series], signals: Sequence[str]) -> tuple[list[str], list[str]]:
    wanted = list(dict.fromkeys(signals)) or _told(series)
    unknown = [fields.plain(name, 80) for name in wanted if name not in series]
    if unknown or not wanted:
        given = ", ".join(unknown) if unknown else "a run of which nothing was read yet"
        known = fields.listed(_told(series), 20)
        way = f"give some of: {known}" if known else "wait for its first steps"
        raise ValueError(f"plot draws signals of a run; got {given}; {way}")
    losses = [name for name in wanted if name.startswith("loss/")]
    return losses[:_MOST], [name for name in wanted if name not in losses][:_MOST]


def _told(series: Mapping[str, Series]) -> list[str]:
    losses = sorted(name for name in series if name.startswith("loss/"))
    parts = [name for name in losses if name != "loss/total"] or losses
    held_out = sorted((name for name in series if name.startswith("eval/")), key=_rank)
    return parts + held_out


def _rank(name: str) -> tuple[bool, bool, str]:
    """Quality first, then what the model does by itself, then teacher-forced."""
    return "quality" not in name, "forced" in name, name


def _curve(series: Series) -> Curve:
    """The last value of each step, thinned to what a picture can show; a number that is not finite is a gap."""
    last = dict(zip(series.steps, series.values, strict=True))
    steps = sorted(last)
    every = -(-len(steps) // _POINTS) or 1
    kept = [*steps[::every], *([steps[-1]] if steps and (len(steps) - 1) % every else [])]
    return kept, [last[step] if math.isfinite(last[step]) else math.nan for step in kept]


def _draw(place: Any, curves: Mapping[str, Curve], cases: Sequence[Intervention]) -> None:  # noqa: ANN401 (an extra's type)
    handles = {
        _label(name): place.plot(*curve, linewidth=1.2, marker="." if len(curve[0]) < _FEW else None)[0]
        for name, curve in curves.items()
    }
    for move, (word, colour) in _MARKS.items():
        steps = sorted({case.step for case in cases if case.moved == move})
        for step in steps[-_SHOWN:]:
            handles[f"{word} ({len(steps)})"] = place.axvline(step, color=colour, linewidth=0.8, zorder=0)
    if _positive(values for _, values in curves.values()):
        place.set_yscale("log")
    place.grid(visible=True, alpha=0.3)
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    legend = place.legend(handles.values(), handles, fontsize="x-small", **beside)
    for one in legend.get_texts():
        one.set_parse_math(False)
        one.set_usetex(False)


def _label(name: str) -> str:
    shown = fields.plain(name, 60)
    return f" {shown}" if shown.startswith("_") else shown  # matplotlib leaves such names out of a legend


def _positive(curves: Iterable[list[float]]) -> bool:
    """Whether a logarithmic scale shows every finite number, and is worth it."""
    finite = [value for values in curves for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > 10 * min(finite)


def _png(figure: Any) -> bytes:  # noqa: ANN401 (an extra's type)
    buffer = BytesIO()
    with warnings.catch_warnings():  # a letter that the font lacks is drawn as a box
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format="png")
    return buffer.getvalue()
