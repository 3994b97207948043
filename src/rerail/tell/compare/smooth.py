"""What a noisy series stands at: the median of a window that ends there."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARE = 0.05  # of the way to the point that is compared: so long is the window


def smoothed(places: Sequence[float], values: Sequence[float], width: float) -> list[float]:
    """The median of the values in each place's window `(place - width, place]`; places rise.

    NaN where the newest value, or half of the window, is not finite.
    """
    window: list[float] = []
    found, start = [], 0
    for end, place in enumerate(places):
        if math.isfinite(values[end]):
            insort(window, values[end])
        while start < end and places[start] <= place - width:
            if math.isfinite(values[start]):
                del window[bisect_left(window, values[start])]
            start += 1
        lost = end + 1 - start - len(window)
        found.append(math.nan if lost >= len(window) or not math.isfinite(values[end]) else _median(window))
    return found


def _median(ordered: Sequence[float]) -> float:
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2
