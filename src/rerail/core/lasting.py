"""How long a belief has held: what holds in healthy runs for a while is told only once it has lasted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Since which tick something holds (0: it does not), over how many readings, and when it was told last (0: never).

    Ticks only rise, over rewinds too.
    """

    since: int = 0
    readings: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """A streak per signal; the whole memory of a detector that needs no other."""

    streaks: Mapping[str, Streak] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Told after `readings` readings in a row that span `ticks` ticks, and again only `again` ticks later."""

    ticks: int
    readings: int
    again: int


def hold(memory: Lasting, tick: int, holds: Mapping[str, bool], patience: Patience) -> tuple[Lasting, list[str]]:
    """Count one reading of the signals in `holds`; return the signals that are to be told now.

    A signal that was not read keeps its streak: dear sensors are silent at most ticks.
    """
    if not holds:
        return memory, []
    streaks, due = dict(memory.streaks), list[str]()
    for name, now in holds.items():
        old = streaks.get(name)
        if old is None and not now:
            continue
        streak = _next(old or Streak(), tick, now=now)
        lasted = streak.readings >= patience.readings and tick - streak.since >= patience.ticks
        if lasted and (streak.told == 0 or tick - streak.told >= patience.again):
            streak = Streak(since=streak.since, readings=streak.readings, told=tick)
            due.append(name)
        streaks[name] = streak
    return Lasting(streaks=streaks), due


def _next(streak: Streak, tick: int, *, now: bool) -> Streak:
    if not now:
        return Streak(told=streak.told)
    return Streak(since=streak.since or tick, readings=streak.readings + 1, told=streak.told)


def told(code: str, memory: Lasting, due: list[str], reading: Reading, **more: float) -> tuple[Finding, ...]:
    """Make a finding of each signal that is due: its value, how many ticks it has lasted, and whatever `more` says."""
    return tuple(
        Finding(code=code, signal=name, evidence={**_value(name, reading), **more, **_lasted(memory, name, reading)})
        for name in due
    )


def _value(name: str, reading: Reading) -> dict[str, float]:
    return {name: reading.values[name]} if name in reading.values else {}


def _lasted(memory: Lasting, name: str, reading: Reading) -> dict[str, float]:
    return {"lasted": float(reading.tick - memory.streaks[name].since)}
