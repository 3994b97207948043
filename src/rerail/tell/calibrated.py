"""A calibration in rows and sentences: false alarms, how near each threshold is to one, and what would change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rerail.core.rate import Rate
from rerail.core.thresholds import name_of
from rerail.tell import fields

if TYPE_CHECKING:
    from rerail.core.calibrate import Alarm, Judged, Margin

DETECTORS = ("Detector", "Alarms", "Per 10,000 ticks (95 %)", "Nearest threshold", "Quiet at", "Times as strict")
THRESHOLDS = ("Detector", "Threshold", "Now", "Quiet at", "Times as strict", "Where it is raised now")
CHANGES = ("Detector", "Threshold", "Now", "Plan", "")
ALL_BUT_OFF = 0.1  # times as strict as now


def detectors(judged: Sequence[Judged]) -> list[tuple[str, ...]]:
    """One row a detector: its alarms, and the threshold that is nearest to one, or past it."""
    return [_detector(one) for one in judged]


def _detector(one: Judged) -> tuple[str, ...]:
    total = Rate(count=len(one.alarms), ticks=one.ticks)
    first = (name_of(one.detector), str(total.count), interval(total))
    near = [margin for margin in one.margins if margin.quiet is not None]
    if not near:
        return (*first, "-", "-", "-")
    nearest = min(near, key=lambda margin: (not margin.code, margin.threshold.whole, abs(math.log(margin.ratio))))
    now = f"{nearest.threshold.name} {fields.figure(nearest.threshold.present)}"
    return (*first, now, fields.figure(nearest.quiet), fields.figure(nearest.ratio))


def thresholds(judged: Sequence[Judged]) -> list[tuple[str, ...]]:
    """One row a threshold; `-` where no value that was tried raises an alarm."""
    return [threshold(margin) for one in judged for margin in one.margins]


def threshold(margin: Margin) -> tuple[str, ...]:
    """The row of one threshold."""
    one = margin.threshold
    quiet, ratio = ("-", "-") if margin.quiet is None else (fields.figure(margin.quiet), fields.figure(margin.ratio))
    return one.detector, one.name, fields.figure(one.present), quiet, ratio, margin.code


def changes(judged: Sequence[Judged], changed: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """One row a threshold that the plan moves, with a word where that leaves little of the detector."""
    every = {(one.threshold.detector, one.threshold.name): one.threshold for each in judged for one in each.margins}
    rows = list[tuple[str, ...]]()
    for name, moved in changed.items():
        for field, value in moved.items():
            one = every[name, field]
            off = one.ratio(value) < ALL_BUT_OFF
            remark = "all but off: look at these runs before you use it" if off else ""
            rows.append((name, field, fields.figure(one.present), fields.figure(value), remark))
    return rows


def interval(rate: Rate) -> str:
    """A rate and its interval: `0.4 (0.1 to 1.2)`, to one digit below a tenth of an alarm."""
    return f"{fields.figure(rate.rate)} ({fields.figure(rate.low)} to {fields.figure(rate.high)})"


def watched(names: Sequence[str], ticks: int, proved: int) -> str:
    """What the calibration stands on, and what silence in so many ticks is worth."""
    most = fields.figure(Rate(count=0, ticks=ticks).high)
    told = f"{fields.count(len(names), 'healthy run')}, {fields.count(ticks, 'tick')}: {fields.listed(names)}."
    worth = f"No alarm in so many ticks means at most {most} in 10,000 (95 %)."
    excused = f"\nNot counted: alarms around {fields.count(proved, 'tick')} at which a replay proved rows to be bad."
    return f"{told}\n{worth}" + (excused if proved else "")


def remaining(alarms: Sequence[Alarm]) -> str:
    """The alarms that no threshold silences, and what to make of them."""
    first = [f"{one.code} at tick {one.tick} of {one.run}" for one in alarms]
    return (
        f"No threshold silences {fields.count(len(alarms), 'alarm')}: {fields.listed(first, 4)}. A number that is not "
        "finite, or a gradient of zero, is no matter of degree: see `rerail explain RUN`, and leave the run out where "
        "it was not healthy."
    )
