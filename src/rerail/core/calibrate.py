"""Set thresholds from healthy runs: their false alarms, how far each threshold is from one, and a plan that is quiet.

A journal holds every reading, and detectors are pure: so each judges them again alone, with one field changed at a
time. Rows that a replay has proved to be bad are no false alarm, nor are the ticks around them: an outlier that was
judged must not loosen the threshold that it was judged by. In a detector's own memory it has no place either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rerail.core.cause.cause import Kind
from rerail.core.detector import Detector
from rerail.core.detectors import DEFAULT
from rerail.core.rate import Rate
from rerail.core.reading import Reading
from rerail.core.thresholds import KINDS, Threshold, name_of, thresholds

FURTHEST = 1024.0  # times as strict, or as loose, as the present value: no further is looked
CLOSE = 1.01  # how near a value is brought to the one that makes the difference
NEAR = 30  # ticks around rows that were proved to be bad; in as many a detector adopts a new level
MARGIN = 1.25  # see `loosened`
NORMAL = frozenset({"scale.overflow"})  # how a dynamic loss scale finds its size: counted as no alarm
_ROWS = {Kind.DATA.value, Kind.TOXIC.value}  # whatever else was proved in a healthy run was proved wrongly


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """The readings of a run that was healthy, and the ticks at which rows were proved to be bad nevertheless."""

    name: str
    readings: tuple[Reading, ...]
    proved: tuple[int, ...] = ()

    def excuses(self, tick: int) -> bool:
        """Say whether an alarm at this tick is no false one."""
        return any(abs(tick - one) <= NEAR for one in self.proved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A finding in a healthy run; several of one code at one tick are one alarm."""

    run: str
    tick: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How far a threshold is from an alarm, all others at their present values.

    `quiet` is the strictest value without an alarm, None where no value that was tried raises any, and `ratio` how many
    times as strict as the present one it is. Where `code` already is raised at the present value, `quiet` is the
    nearest looser value that does not raise it, and the ratio is below 1.
    """

    threshold: Threshold
    quiet: float | None
    ratio: float
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One detector on healthy runs: how many ticks it saw, its alarms, the margins of its thresholds."""

    detector: Detector[Any]
    ticks: int
    alarms: tuple[Alarm, ...]
    margins: tuple[Margin, ...]

    def rates(self) -> dict[str, Rate]:
        """Return the rate of every code that the detector may find."""
        codes = dict.fromkeys([*KINDS[name_of(self.detector)].codes, *(one.code for one in self.alarms)])
        return {
            code: Rate(count=sum(one.code == code for one in self.alarms), ticks=self.ticks)
            for code in codes
            if code not in NORMAL
        }


def healthy(name: str, records: Iterable[Mapping[str, Any]], *, count_proved: bool = False) -> Healthy:
    """Take a run out of its journal. With `count_proved` alarms count even where a replay has proved rows to be bad."""
    readings, proved = list[Reading](), list[int]()
    for one in records:
        if one["kind"] == "reading":
            values = {signal: float(value) for signal, value in one["values"].items()}
            readings.append(Reading(tick=one["tick"], values=values))
        elif one["kind"] == "cause" and one.get("replays") and one.get("cause") in _ROWS:
            proved.append(one["tick"])
    return Healthy(name=name, readings=tuple(readings), proved=() if count_proved else tuple(proved))


def alarms(detector: Detector[Any], runs: Iterable[Healthy]) -> Iterator[Alarm]:
    """Judge the runs with one detector alone, each from its first reading on; yield each alarm as it is raised."""
    for run in runs:
        memory = detector.init()
        for reading in run.readings:
            memory, findings = detector.update(memory, reading)
            for code in dict.fromkeys(found.code for found in findings if found.code not in NORMAL):
                if not run.excuses(reading.tick):
                    yield Alarm(run=run.name, tick=reading.tick, code=code)


def judge(detector: Detector[Any], runs: Sequence[Healthy]) -> Judged:
    """Count a detector's alarms, and look for the margin of each of its thresholds."""
    raised = tuple(alarms(detector, runs))
    noisy = {one.code for one in raised}
    margins = list[Margin]()
    for one in thresholds(detector):
        for code in sorted(noisy):
            at_fault = {alarm.run for alarm in raised if alarm.code == code}
            found = _looser(detector, one, [run for run in runs if run.name in at_fault], code)
            margins += [found] if found else []
        if quiet := set(KINDS[one.detector].codes) - noisy - NORMAL:
            margins.append(_stricter(detector, one, runs, quiet))
    ticks = sum(len(run.readings) for run in runs)
    return Judged(detector=detector, ticks=ticks, alarms=raised, margins=tuple(margins))


def _stricter(detector: Detector[Any], one: Threshold, runs: Sequence[Healthy], codes: set[str]) -> Margin:
    """Return the strictest value at which none of `codes`, which are quiet now, is raised."""
    order = list(runs)
    found = boundary(lambda value: not _raises(_with(detector, one, value), codes, order), one.at)
    quiet = None if found is None else found[0]
    return Margin(threshold=one, quiet=quiet, ratio=math.inf if quiet is None else one.ratio(quiet))


def _looser(detector: Detector[Any], one: Threshold, runs: Sequence[Healthy], code: str) -> Margin | None:
    """Return the nearest looser value at which `code`, which is raised in these runs, is not; None where none helps."""
    order = list(runs)
    found = boundary(lambda value: _raises(_with(detector, one, value), {code}, order), lambda ratio: one.at(1 / ratio))
    return None if found is None else Margin(threshold=one, quiet=found[1], ratio=one.ratio(found[1]), code=code)


def boundary(holds: Callable[[float], bool], at: Callable[[float], float]) -> tuple[float, float] | None:
    """Return the last value at which `holds` and the first at which it does not any more, going out from ratio 1.

    The sweep is geometric: it doubles the ratio up to `FURTHEST`, then halves the step that made the difference until
    both values are within `CLOSE`. Taken for granted is that what holds at the far end holds all the way.
    """
    known = {at(1.0): True}

    def asked(ratio: float) -> bool:
        if (value := at(ratio)) not in known:
            known[value] = holds(value)
        return known[value]

    if asked(FURTHEST):
        return None
    inside, outside = 1.0, 2.0
    while asked(outside):
        inside, outside = outside, 2 * outside
    while outside / inside > CLOSE:
        middle = math.sqrt(inside * outside)
        inside, outside = (middle, outside) if asked(middle) else (inside, middle)
    return at(inside), at(outside)


def _raises(detector: Detector[Any], codes: set[str], order: list[Healthy]) -> bool:
    for place, run in enumerate(order):
        if any(one.code in codes for one in alarms(detector, [run])):
            order.insert(0, order.pop(place))  # most likely it also is the first to decide about the next value
            return True
    return False


def _with(detector: Detector[Any], one: Threshold, value: float) -> Detector[Any]:
    return replace(detector, **{one.name: value})  # type: ignore[type-var]  # every detector is a dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosened:
    """What must change in a detector so that it is quiet with a margin, and the alarms that no threshold silences."""

    detector: Detector[Any]
    changes: Mapping[str, float]
    still: tuple[Alarm, ...]


def loosened(judged: Judged, runs: Sequence[Healthy], margin: float = MARGIN) -> Loosened:
    """Move the thresholds that raise alarms, or nearly do, until each may be `margin` times as strict without one.

    The next run will stray further than these did. Of normal noise the largest of n values lies near sqrt(2 ln n)
    deviations (Gumbel 1958), so in ten times as many ticks 1.1 (from 10,000 on) to 1.2 times (from 200 on) as far as
    before; 1.25 is room for that. Heavier tails ask for more runs rather than for a larger margin.

    Of several thresholds that would silence a code the one that must move least is moved, a count (of ticks, of times)
    only where no other does: waiting until the runs are over is no cure.
    """
    wanted = dict[Threshold, float]()
    for code in sorted({one.code for one in judged.alarms}):
        ways = [one for one in judged.margins if one.code == code]
        if ways:
            best = min(ways, key=lambda one: (one.threshold.whole, -one.ratio))
            wanted[best.threshold] = min(best.ratio / margin, wanted.get(best.threshold, 1.0))
    for one in judged.margins:
        if not one.code and not one.threshold.whole and one.ratio < margin:
            wanted[one.threshold] = min(one.ratio / margin, wanted.get(one.threshold, 1.0))
    changes = {one.name: one.rounded(one.at(ratio)) for one, ratio in wanted.items()}
    changed = replace(judged.detector, **changes)  # type: ignore[type-var]
    return Loosened(detector=changed, changes=changes, still=tuple(alarms(changed, runs)))


def plan_data(given: Mapping[str, Any], changes: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Put changes of detectors into a plan as plain data; what is as in the default plan is left out."""
    usual = {name_of(one): one for one in DEFAULT}
    detectors = dict[str, dict[str, Any]]()
    for name in sorted({*given.get("detectors", {}), *changes}):
        fields = {**(given.get("detectors", {}).get(name) or {}), **changes.get(name, {})}
        differing = {field: value for field, value in fields.items() if getattr(usual[name], field) != value}
        if differing:
            detectors[name] = differing
    return {**{key: value for key, value in given.items() if key != "detectors"}, "detectors": detectors}
