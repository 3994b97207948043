"""Curves that grow with a run and stay small: at most so many points a signal, however long the run.

A point stands for a stretch of ticks: the mean, the lowest and the highest of its finite values, and how many were not
finite. Where the points become too many, two neighbours become one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rerail.tell import fields

POINTS = 1000  # a signal has at most twice as many
SIGNALS = 40  # more than these nobody looks at; the report and the journal have all
_KINDS, _ALONE = ("loss/", "eval/"), frozenset({"grad/norm", "lr", "time/step"})


@dataclass(slots=True, kw_only=True)
class Point:
    """What was read in one stretch; `changed` is the number of the record that was added last."""

    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    count: int = 0
    lost: int = 0
    changed: int = 0

    def add(self, value: float, changed: int) -> None:
        """Take in one value."""
        self.changed = changed
        if not math.isfinite(value):
            self.lost += 1
            return
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.total, self.count = self.total + value, self.count + 1

    def join(self, other: Point) -> None:
        """Take in another stretch."""
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.total, self.count, self.lost = self.total + other.total, self.count + other.count, self.lost + other.lost
        self.changed = max(self.changed, other.changed)

    def row(self, tick: int) -> tuple[int, float | None, float | None, float | None, int]:
        """Tick, mean, lowest, highest, how many were not finite; None where no value was."""
        if not self.count:
            return tick, None, None, None, self.lost
        mean = self.total / self.count
        return tick, mean if math.isfinite(mean) else self.high, self.low, self.high, self.lost


@dataclass(slots=True, kw_only=True)
class Trend:
    """The curves of a run. `stride` is how many ticks a point stands for, `left_out` names what is not kept."""

    stride: int = 1
    signals: dict[str, dict[int, Point]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def add(self, number: int, tick: int, values: dict[str, float]) -> None:
        """Take in a reading, the `number`-th record."""
        for name, value in values.items():
            if shown(name):
                self._add(number, tick, name, value)

    def since(self, number: int) -> dict[str, list[tuple[int, float | None, float | None, float | None, int]]]:
        """The points that changed after the `number`-th record, oldest first; see `Point.row`."""
        found = {name: self._changed(points, number) for name, points in self.signals.items()}
        return {fields.plain(name): rows for name, rows in found.items() if rows}

    def _add(self, number: int, tick: int, name: str, value: float) -> None:
        if name not in self.signals:
            if len(self.signals) >= SIGNALS:
                if len(self.left_out) < SIGNALS:
                    self.left_out.add(name)
                return
            self.signals[name] = {}
        points, key = self.signals[name], tick // self.stride
        point = points.pop(key, None) or Point()  # so that the newest stay at the end, also where a tick comes again
        point.add(value, number)
        points[key] = point
        if len(points) > 2 * POINTS:
            self._halve()

    def _changed(
        self, points: dict[int, Point], number: int
    ) -> list[tuple[int, float | None, float | None, float | None, int]]:
        rows = []
        for key in reversed(points):
            if points[key].changed <= number:
                break
            rows.append(points[key].row(key * self.stride))
        return sorted(rows)

    def _halve(self) -> None:
        self.stride *= 2
        for name, points in self.signals.items():
            joined: dict[int, Point] = {}
            for key, point in points.items():
                joined.setdefault(key // 2, Point()).join(point)
            self.signals[name] = joined


def shown(name: str) -> bool:
    """Whether a signal has a curve."""
    return name in _ALONE or name.startswith(_KINDS)
