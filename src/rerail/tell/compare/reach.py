"""How long each run took to come to a value, and stay there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell.compare import student
from rerail.tell.compare.levels import At, Contrast, standing
from rerail.tell.compare.smooth import SHARE, smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rerail.tell.compare.course import Course, Point
    from rerail.tell.compare.groups import Group
    from rerail.tell.compare.levels import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A value to come to: at most `value` where the signal falls, at least that where it rises."""

    signal: str
    value: float
    falls: bool

    def met(self, value: float) -> bool:
        """Say whether a value is as good."""
        return value <= self.value if self.falls else value >= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A target, and the point at which each run came to it for good; None for a run that never did."""

    target: Target
    reached: Mapping[str, Mapping[str, Point | None]]
    contrasts: Sequence[Contrast] = ()


def default_target(signal: str, runs: Sequence[Course], at: At) -> Target | None:
    """The value that the worst run ends with; None where the runs do not agree which way is better, or stand still.

    A loss falls. Of other signals nobody says it, so it is the way that all of them go.
    """
    ends = [found[0] for run in runs if (found := standing(run, signal, at)) and math.isfinite(found[0])]
    begins = [run.series[signal][0][1] for run in runs if signal in run.series]
    if len(ends) < len(runs) and not (ends and signal.startswith("loss/")):
        return None
    ways = {end < begin for end, begin in zip(ends, begins, strict=False) if end != begin}
    falls = signal.startswith("loss/") or ways == {True}
    if not falls and ways != {False}:
        return None
    return Target(signal=signal, value=max(ends) if falls else min(ends), falls=falls)


def given_target(signal: str, value: float, runs: Sequence[Course]) -> Target:
    """A target that a person named. A loss falls to it; others come to it from the side that most runs begin on."""
    begins = [run.series[signal][0][1] for run in runs if signal in run.series]
    falls = signal.startswith("loss/") or 2 * sum(one > value for one in begins) >= len(begins)
    return Target(signal=signal, value=value, falls=falls)


def goal(target: Target, groups: Sequence[Group], steps: At, pairs: Pairs) -> Goal:
    """When every run came to a target."""
    width = SHARE * steps.place
    reached = {group.label: {run.name: _reached(run, target, width) for run in group.members} for group in groups}
    contrasts = [_contrast(target, steps, first, second, reached) for first, second, _ in pairs]
    return Goal(target=target, reached=reached, contrasts=[one for one in contrasts if one.difference])


def _reached(run: Course, target: Target, width: float) -> Point | None:
    series = run.series.get(target.signal, [])
    values = [value for _, value in series]
    if target.signal.startswith("loss/"):
        values = smoothed([float(point.step) for point, _ in series], values, width)
    found = None
    for (point, _), value in zip(reversed(series), reversed(values), strict=True):
        if not target.met(value):
            break
        found = point
    return found


def _contrast(
    target: Target, at: At, first: Group, second: Group, reached: Mapping[str, Mapping[str, Point | None]]
) -> Contrast:
    sides = [[point.step for point in reached[side.label].values() if point] for side in (first, second)]
    whole = [len(side) for side in sides] == [len(first.members), len(second.members)]
    found = student.difference(*([float(step) for step in side] for side in sides)) if whole else None
    return Contrast(signal=target.signal, at=at, first=first.label, second=second.label, difference=found)
