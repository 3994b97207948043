"""Standing adjustments relative to the run's own settings, never written into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Precision(IntEnum):
    """Number format of the forward pass, from the run's own to the widest.

    FP32 switches autocasting off; WIDE also turns every cast to half precision in the user's code into one to single;
    DOUBLE computes every operation in double precision.
    """

    AS_RUN = 0
    FP32 = 1
    WIDE = 2
    DOUBLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Desired state, applied when a step is run and committed. The default changes nothing.

    `lr_scale` multiplies every learning rate, and so does `lr_standing`, which one detector owns and no remedy touches:
    what is cut after a plateau is the run's own rate from then on, and a remedy's cut a share of it. `lr_most` caps the
    first group's rate and scales the others alike, and does nothing while the run's own rate is below it; `clip_norm`
    caps the total gradient norm (the run's own cap still holds); `weights` multiply the run's loss weights; `settings`
    hold numbers of an optimizer's parameter group at a value: `weight_decay/0` that of the first group, `betas.1/0` its
    second beta.
    """

    lr_scale: float = 1.0
    clip_norm: float = math.inf
    precision: Precision = Precision.AS_RUN
    lr_most: float = math.inf
    weights: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    lr_standing: float = 1.0

    def signals(self) -> dict[str, float]:
        """Return the knobs that are turned, as a reading tells them; settings of the optimizer are read there."""
        told = {f"knob/loss/{name}": factor for name, factor in self.weights.items()}
        turned = {
            "lr_scale": (self.lr_scale, 1.0),
            "lr_standing": (self.lr_standing, 1.0),
            "clip_norm": (self.clip_norm, math.inf),
            "precision": (float(self.precision), 0.0),
        }
        return told | {f"knob/{name}": value for name, (value, neutral) in turned.items() if value != neutral}

    def meet(self, other: Knobs) -> Knobs:
        """Return the more cautious of both, knob by knob."""
        names = sorted({*self.weights, *other.weights})
        return Knobs(
            lr_scale=min(self.lr_scale, other.lr_scale),
            clip_norm=min(self.clip_norm, other.clip_norm),
            precision=max(self.precision, other.precision),
            lr_most=min(self.lr_most, other.lr_most),
            weights={name: _farther(self.weights.get(name, 1.0), other.weights.get(name, 1.0)) for name in names},
            settings={**other.settings, **self.settings},
            lr_standing=min(self.lr_standing, other.lr_standing),
        )

    def eased(self, share: float) -> Knobs:
        """Return the part `share` of this dose: 1 all of it, 0 nothing, geometrically in between.

        Precision and settings have no part doses: they hold until the dose has ended.
        """
        if share >= 1:
            return self
        if share <= 0:
            return NEUTRAL
        return Knobs(
            lr_scale=self.lr_scale**share,
            clip_norm=self.clip_norm / share,
            precision=self.precision,
            lr_most=self.lr_most / share,
            weights={name: weight**share for name, weight in self.weights.items()},
            settings=self.settings,
            lr_standing=self.lr_standing**share,
        )


def _farther(one: float, other: float) -> float:
    # A weight has one owner, so both sides seldom differ; where they do, the farther from 1 wins, the smaller on a tie.
    return min(one, other, key=lambda weight: (-abs(math.log(weight)) if weight > 0 else -math.inf, weight))


NEUTRAL = Knobs()
