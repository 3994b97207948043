"""The first step at which two runs part: exactly, and by more than rounding can explain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell.compare.course import COMPARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rerail.tell.compare.course import Course, Read

TOTAL = "loss/total"
TOLERANCE = 1e-3  # relative; other threads or devices part by less for a while
_CLOCKS = ("time/", "memory/")  # these differ between equal runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Where two runs read different numbers at the same tick: a signal, both values, how many signals differ there."""

    tick: int
    step: int
    signal: str
    first: float
    second: float
    signals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """How far two runs are the same.

    `exactly` is the first tick at which any number differs, `losses` the first at which a loss differs by more than
    the tolerance; None where there is none. `compared` counts the ticks at which both read one loss or held-out metric.
    """

    first: str
    second: str
    seeds: tuple[str | None, str | None]
    compared: int
    exactly: Apart | None
    losses: Apart | None

    @property
    def same(self) -> bool:
        """Say whether they never part, as far as both go."""
        return self.exactly is None and self.compared > 0


def parting(first: Course, second: Course) -> Parting:
    """Compare two runs tick by tick."""
    both = list(_both(first, second))
    return Parting(
        first=first.name,
        second=second.name,
        seeds=(first.seed, second.seed),
        compared=sum(_alike(one.values, other.values) for one, other in both),
        exactly=next(_apart(both, 0.0, losses=False), None),
        losses=next(_apart(both, TOLERANCE, losses=True), None),
    )


def _both(first: Course, second: Course) -> Iterator[tuple[Read, Read]]:
    others = {one.tick: one for one in second.readings}
    return ((one, others[one.tick]) for one in first.readings if one.tick in others)


def _apart(both: list[tuple[Read, Read]], tolerance: float, *, losses: bool) -> Iterator[Apart]:
    for one, other in both:
        shared = _shared(one.values, other.values)
        names = _parts(shared) if losses else shared
        differ = [name for name in names if _differ(one.values[name], other.values[name], tolerance)]
        if differ:
            name = min(differ, key=_telling)
            values = {"first": one.values[name], "second": other.values[name]}
            yield Apart(tick=one.tick, step=one.step, signal=name, signals=len(differ), **values)


def _shared(one: Mapping[str, float], other: Mapping[str, float]) -> list[str]:
    return [name for name in one if name in other and not name.startswith(_CLOCKS)]


def _alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return any(name in other and name.startswith(COMPARED) for name in one)


def _parts(names: list[str]) -> list[str]:
    """The losses; without the total, which may differ by its weights alone, where it has parts."""
    losses = [name for name in names if name.startswith("loss/")]
    return [name for name in losses if name != TOTAL] or losses


def _telling(name: str) -> int:
    """What lies before the others in a step tells most: the data, then the rate, then what the network made of them."""
    order = ("step", "batch/", "input/", "label/", "setting/", "lr", "knob/", "weight/", "loss/", "signal/", "grad/")
    if name == TOTAL:
        return order.index("signal/")
    return next((rank for rank, prefix in enumerate(order) if name.startswith(prefix)), len(order))


def _differ(one: float, other: float, tolerance: float) -> bool:
    if math.isnan(one) or math.isnan(other) or math.isinf(one) or math.isinf(other):
        return not (one == other or (math.isnan(one) and math.isnan(other)))
    return abs(one - other) > tolerance * max(abs(one), abs(other))
