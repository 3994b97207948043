"""Points to draw: thinned without losing an extreme, non-finite values kept as marks, the scale chosen by the data."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMIT = 2000  # points a curve; a screen shows no more
_HUGE, _TINY = 1e100, 1e-100  # beyond these, laying out an axis would itself overflow or vanish
_WIDE = 30.0  # a range of more than this factor reads better on a logarithmic axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What is drawn of one signal.

    `y` is nan where the line breaks. `lonely` are the points that no line touches, `beyond` the x of values that are
    not finite, or too large for any axis.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    lonely: tuple[tuple[float, float], ...]
    beyond: tuple[float, ...]


def thin(xs: Sequence[float], ys: Sequence[float], limit: int = LIMIT) -> Curve:
    """At most `limit` points; of every stretch the lowest and the highest value are kept, in their order."""
    stretch = 1 if len(xs) <= limit else math.ceil(len(xs) / (limit // 2))
    points, beyond = [], []
    for start in range(0, len(xs), stretch):
        piece = [(x, _seen(y)) for x, y in zip(xs[start : start + stretch], ys[start : start + stretch], strict=True)]
        points += _extremes(piece)
        beyond += [x for x, y in piece if not _drawable(y)][:1]
    return Curve(
        x=tuple(x for x, _ in points),
        y=tuple(y for _, y in points),
        lonely=tuple(_lonely(points)),
        beyond=tuple(beyond),
    )


def scale(ys: Sequence[float]) -> Literal["linear", "log", "symlog"]:
    """Logarithmic for wide positive ranges, symmetric-logarithmic where wide ranges hold zeros or negative values."""
    finite = [y for y in ys if math.isfinite(y)]
    if not finite:
        return "linear"
    low, high = min(finite), max(finite)
    if low > _TINY:
        return "log" if high / low > _WIDE else "linear"
    typical = statistics.median(abs(y) for y in finite)
    return "symlog" if typical > _TINY and max(-low, high) / typical > _WIDE else "linear"


def _drawable(y: float) -> bool:
    return math.isfinite(y) and abs(y) <= _HUGE


def _seen(y: float) -> float:
    return 0.0 if abs(y) < _TINY else y


def _extremes(piece: list[tuple[float, float]]) -> list[tuple[float, float]]:
    finite = [(index, point) for index, point in enumerate(piece) if _drawable(point[1])]
    if not finite:
        return [(piece[0][0], math.nan)]
    ends = {min(finite, key=lambda each: each[1][1]), max(finite, key=lambda each: each[1][1])}
    return [point for _, point in sorted(ends)]


def _lonely(points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    gap = (math.nan, math.nan)
    for before, point, after in zip([gap, *points], points, [*points[1:], gap], strict=False):
        if math.isfinite(point[1]) and math.isnan(before[1]) and math.isnan(after[1]):
            yield point
