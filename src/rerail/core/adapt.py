"""Which weight of a loss to try, and whether a trial has paid. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

APART = 2.0  # components whose gradients differ by less than this factor are left alone
GAIN = 0.002  # of the held-out metric: less is within what two forks of equal settings differ by


def proposal(
    norms: Mapping[str, float], components: Sequence[str], anchor: str, barred: Collection[tuple[str, int]] = ()
) -> tuple[str, int] | None:
    """Return the component to try another weight for, and 1 for a level more or -1 for one less; None for none.

    `barred` are moves that were tried without success, or would leave the bounds.

    norms: of each weighted component's gradient. They are compared with that of `anchor`, not the losses' values: a
    loss may be large and pull at nothing. The one farthest from it is tried first; of what is not finite, or 0, nothing
    can be said.
    """
    sound = {name: norm for name, norm in norms.items() if math.isfinite(norm) and norm > 0}
    if anchor not in sound:
        return None
    apart = {one: math.log(sound[one] / sound[anchor]) for one in components if one in sound}
    far = sorted((one for one in apart if abs(apart[one]) >= math.log(APART)), key=lambda one: -abs(apart[one]))
    moves = ((one, -1 if apart[one] > 0 else 1) for one in far)
    return next((move for move in moves if move not in barred), None)


def pays(tried: float, own: float) -> bool:
    """Say whether the metric of a trial is better, which is smaller, than that of the run's own settings."""
    return tried < own - GAIN * abs(own)  # False for NaN on either side
