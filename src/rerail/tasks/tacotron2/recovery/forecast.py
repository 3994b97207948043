"""When the next stage should be reached, from a run's own curve, with how sure that is; or why that cannot be said."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

POINTS = 8  # newest evaluations that the line goes through
FEW = 4
DRAWS = 400
EDGES = (0.1, 0.9)
FARTHEST = 20.0  # times the steps so far; a line that is drawn out for longer says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The step at which a curve should reach `least`, and where it lies in 8 of 10 redrawn curves (inf: not at all).

    `why` says why there is none.
    """

    least: float
    step: float = math.inf
    low: float = math.inf
    high: float = math.inf
    why: str = ""


def forecast(curve: Sequence[tuple[int, float]], least: float) -> Forecast:
    """Draw a line through the newest points against the logarithm of the step, and out to `least`.

    The line is Theil and Sen's (the median of all slopes, which a few wild points do not turn). Its uncertainty: the
    points are moved by residuals drawn from among their own, and the line is drawn anew, `DRAWS` times.
    """
    known = sorted({step: value for step, value in curve if step > 0 and math.isfinite(value)}.items())[-POINTS:]
    if len(known) < FEW:
        return Forecast(least=least, why=f"a line takes {FEW} evaluations, and there are {len(known)}")
    times, values = [math.log(step) for step, _ in known], [value for _, value in known]
    slope, start = _line(times, values)
    drawn = sorted(_redrawn(times, values, slope, start, least))
    low, high = (drawn[round(edge * (len(drawn) - 1))] for edge in EDGES)
    step = _reached(slope, start, least)
    if not step < FARTHEST * known[-1][0]:
        return Forecast(least=least, why="the curve does not rise, or too slowly to say")
    if values[-1] >= least:
        return Forecast(least=least, why="it was there already, and what was lost has to come again")
    return Forecast(least=least, step=step, low=low, high=high)


def _line(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    slope = median((values[b] - values[a]) / (times[b] - times[a]) for a, b in combinations(range(len(times)), 2))
    return slope, median(value - slope * time for time, value in zip(times, values, strict=True))


def _redrawn(times: Sequence[float], values: Sequence[float], slope: float, start: float, least: float) -> list[float]:
    draw = random.Random(0)  # noqa: S311 (the same curve has the same forecast)
    count = len(times)
    widen = math.sqrt(count / (count - 2))  # two numbers of the line were fitted to these very points
    residuals = [(value - start - slope * time) * widen for time, value in zip(times, values, strict=True)]
    reached = []
    for _ in range(DRAWS):
        moved = [start + slope * time + draw.choice(residuals) for time in times]
        reached.append(_reached(*_line(times, moved), least))
    return reached


def _reached(slope: float, start: float, least: float) -> float:
    if slope <= 0:
        return math.inf
    exponent = (least - start) / slope
    return math.exp(exponent) if exponent < math.log(1e12) else math.inf
