"""Where each run stands at equal steps, samples or time, each group's mean, and what two groups differ by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare import student
from rerail.tell.compare.smooth import SHARE, smoothed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rerail.tell.compare.course import Axis, Course
    from rerail.tell.compare.groups import Group
    from rerail.tell.compare.meaning import Refusal
    from rerail.tell.compare.student import Difference, Mean


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A place on an axis that runs are compared at; time in seconds."""

    axis: Axis
    place: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A group at a place: each member's value, None where it has read none by then; `mean` where all have one."""

    group: str
    runs: Mapping[str, float | None]
    mean: Mean | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One signal at one place, in each group."""

    signal: str
    at: At
    groups: Sequence[Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What the second group has more than the first, or why that is not said."""

    signal: str
    at: At
    first: str
    second: str
    difference: Difference | None = None
    why: str = ""


Pairs = list[tuple["Group", "Group", "Mapping[str, Refusal]"]]


def common_ends(runs: Sequence[Course], axes: Sequence[Axis]) -> list[At]:
    """The last place on each axis that all runs reached; no place where one of them does not know."""
    ends = {axis: [run.end(axis) for run in runs] for axis in axes}
    return [At(axis=axis, place=min(known)) for axis, each in ends.items() if len(known := _known(each)) == len(runs)]


def standing(run: Course, signal: str, at: At) -> tuple[float, float] | None:
    """A run's value at a place and where that was read: of a loss the median of a window, of others the newest."""
    if (signal, at) not in run.stood:
        run.stood[signal, at] = _stands(run, signal, at)
    return run.stood[signal, at]


def _stands(run: Course, signal: str, at: At) -> tuple[float, float] | None:
    placed = [(point.place(at.axis), value) for point, value in run.series.get(signal, ())]
    near = [(place, value) for place, value in placed if place is not None and place <= at.place]
    if not near:
        return None
    places, values = zip(*near, strict=True)
    if not signal.startswith("loss/"):
        return values[-1], places[-1]
    width = SHARE * at.place
    first = next(index for index, place in enumerate(places) if place >= places[-1] - 2 * width)
    return smoothed(places[first:], values[first:], width)[-1], places[-1]


def row(signal: str, at: At, groups: Sequence[Group]) -> Row:
    """Where every group stands."""
    return Row(signal=signal, at=at, groups=[_standing(group, signal, at) for group in groups])


def contrast(signal: str, at: At, first: Group, second: Group, refused: Mapping[str, Refusal]) -> Contrast:
    """Compare two groups at a place, or say why not."""
    found, why = None, refused[signal].why if signal in refused else ""
    if not why:
        sides = [[standing(run, signal, at) for run in group.members] for group in (first, second)]
        why = _unfair(signal, at, [one for side in sides for one in side])
        known = [[one[0] for one in side if one is not None] for side in sides]
        found = None if why else student.difference(*known)
    return Contrast(signal=signal, at=at, first=first.label, second=second.label, difference=found, why=why)


def _unfair(signal: str, at: At, found: Sequence[tuple[float, float] | None]) -> str:
    """Why what was read by a place cannot be compared; empty where it can."""
    places = [one[1] for one in found if one is not None]
    if len(places) < len(found):
        return "not read by all of them"
    # A loss is read at every step: whoever has an older one was evaluating, which is a part of equal time
    if not signal.startswith("loss/") and max(places) - min(places) > SHARE * at.place:
        return f"last read at {fields.figure(min(places))} and {fields.figure(max(places))}, which is too far apart"
    return ""


def _standing(group: Group, signal: str, at: At) -> Standing:
    found = {run.name: standing(run, signal, at) for run in group.members}
    values = {name: None if one is None else one[0] for name, one in found.items()}
    known = _known(values.values())
    mean = student.mean(known) if len(known) == len(values) else None
    return Standing(group=group.label, runs=values, mean=mean)


def _known(values: Iterable[float | None]) -> list[float]:
    return [one for one in values if one is not None]
