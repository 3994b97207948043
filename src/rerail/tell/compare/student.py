"""Means of a few runs with their uncertainty: Student's t, Welch's difference, the exact permutation test.

Formulas: Student 1908; Welch 1947 with Satterthwaite's degrees of freedom; the incomplete beta function by its
continued fraction (DLMF 8.17.22, https://dlmf.nist.gov/8.17#v). Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from statistics import fmean, variance
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COVERED = 0.95  # of an interval, two-sided
LEVEL = 0.05  # below this a test shows a difference
MOST_SPLITS = 5000  # the exact test tries each; beyond, Welch's is as good
_TINY, _CLOSE, _TERMS = 1e-300, 1e-14, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean of `count` numbers; `low` to `high` is its 95 % t interval, None where no spread was seen."""

    mean: float
    count: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean of the second numbers less that of the first, Welch's 95 % interval, and the p of a two-sided test.

    `least` is the smallest p that so few numbers can reach. `p` is None where a side has one number.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    least: float = 0.0
    test: str = ""

    @property
    def shown(self) -> bool:
        """Say whether the test tells the two apart."""
        return self.p is not None and self.p < LEVEL


def mean(values: Sequence[float]) -> Mean:
    """The mean with its t interval. Of one number, equal ones, or some that are not finite, there is no interval."""
    middle, count = fmean(values), len(values)
    if len({*values}) < 2 or not math.isfinite(middle):  # noqa: PLR2004
        return Mean(mean=middle, count=count)
    unit = _unit(values)
    error = unit * math.sqrt(variance([value / unit for value in values]) / count)
    half = quantile(0.5 + COVERED / 2, count - 1) * error
    return Mean(mean=middle, count=count, low=middle - half, high=middle + half)


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare two groups of independent numbers."""
    apart = fmean(second) - fmean(first)
    if min(len(first), len(second)) < 2 or not math.isfinite(apart):  # noqa: PLR2004
        return Difference(mean=apart)
    low, high, welch = _welch(first, second, apart)
    splits = math.comb(len(first) + len(second), len(first))
    if splits > MOST_SPLITS:
        return Difference(mean=apart, low=low, high=high, p=welch, test="Welch's t")
    p = permutation(first, second)
    return Difference(mean=apart, low=low, high=high, p=p, least=least(len(first), len(second)), test="permutation")


def permutation(first: Sequence[float], second: Sequence[float]) -> float:
    """The share of all ways to split the numbers in two whose means are at least as far apart (Fisher 1935)."""
    both = [*first, *second]
    whole, one, other = math.fsum(both), len(first), len(second)
    seen = abs(math.fsum(second) / other - math.fsum(first) / one)
    near = seen - 1e-12 * max(map(abs, both))  # the same split summed in another order
    far = 0
    for chosen in combinations(both, one):
        part = math.fsum(chosen)
        far += abs((whole - part) / other - part / one) >= near
    return far / math.comb(one + other, one)


def least(one: int, other: int) -> float:
    """The smallest p that the exact test of so many numbers can give: in equal groups, both orders are as far apart."""
    return (2 if one == other else 1) / math.comb(one + other, one)


def enough() -> int:
    """How many runs a side the exact test needs to show anything."""
    return next(count for count in range(2, 100) if least(count, count) < LEVEL)


def survival(t: float, freedom: float) -> float:
    """The probability that Student's t of so many degrees of freedom lies above `t`, for t >= 0."""
    return 0.5 * _beta_share(freedom / (freedom + t * t), freedom / 2, 0.5)


@cache
def quantile(share: float, freedom: float) -> float:
    """The t below which a share of at least a half lies."""
    low, high = 0.0, 1.0
    while survival(high, freedom) > 1 - share:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if survival(middle, freedom) > 1 - share else (low, middle)
    return high


def _welch(first: Sequence[float], second: Sequence[float], apart: float) -> tuple[float | None, float | None, float]:
    unit = _unit((*first, *second))
    parts = [variance([value / unit for value in side]) / len(side) for side in (first, second)]
    error = math.sqrt(sum(parts))
    if error == 0:  # no spread was seen, so that nothing is known of it
        return None, None, 1.0 if apart == 0 else 0.0
    weights = (part * part / (len(side) - 1) for part, side in zip(parts, (first, second), strict=True))
    freedom = error**4 / sum(weights)
    half = quantile(0.5 + COVERED / 2, freedom) * error * unit
    return apart - half, apart + half, 2 * survival(abs(apart) / unit / error, freedom)


def _unit(values: Sequence[float]) -> float:
    """The size of the numbers, by which they are divided: squares of very large or small ones are no floats."""
    return max(map(abs, values)) or 1.0


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):  # where the fraction converges fast
        return 1 - _beta_share(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 / (1 + d1 / (1 + d2 / (1 + ...))), by the modified method of Lentz."""
    value, c, d = 1.0, 1.0, 0.0
    for term in range(_TERMS):
        m, odd = divmod(term, 2)
        step = _odd_term(x, a, b, m) if odd else m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if term else 1.0
        d = 1 / (_held(1 + step * d))
        c = _held(1 + step / c)
        value *= c * d
        if term and abs(1 - c * d) < _CLOSE:
            break
    return value - 1


def _odd_term(x: float, a: float, b: float, m: int) -> float:
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))


def _held(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
