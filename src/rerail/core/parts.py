"""The losses of a reading: its components, and what they sum up to before any weight."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rerail.core.reading import Reading

WHOLE = "loss/total"


def components(reading: Reading) -> dict[str, float]:
    """Return the finite components by their full names; the total only where it is all there is."""
    losses = {name: value for name, value in reading.under("loss").items() if math.isfinite(value)}
    if len(losses) > 1:
        losses.pop(WHOLE, None)
    return losses


def whole(reading: Reading) -> tuple[str, float]:
    """Return the sum of the unweighted components and the name to tell it by; NaN where one is not finite.

    The weighted total moves whenever a weight is annealed, and components trade against one another; their plain sum
    does neither.
    """
    losses = reading.under("loss")
    if len(losses) > 1:
        losses.pop(WHOLE, None)
    name = next(iter(losses)) if len(losses) == 1 else WHOLE
    return name, sum(losses.values()) if losses else math.nan


def named(values: Mapping[str, float], words: tuple[str, ...]) -> dict[str, float]:
    """Return those whose last part has one of `words` in it, in any case."""
    return {name: value for name, value in values.items() if any(one in _last(name) for one in words)}


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()
