"""The settings that a recovery tries, from mild to drastic: knobs on the run's own, which ramp back to these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rerail.core.knobs import Knobs, Precision
from rerail.core.remedy import Move, Remedy
from rerail.tasks.tacotron2.recovery.decide import Source

TRIAL = 30  # steps of a trial
OWN, FRESH, SLOWER, CLIPPED, WIDER, SLOWEST, ULTRA = (
    "own settings",
    "fresh optimizer",
    "slower",
    "slower, clipped",
    "far slower, clipped, full precision",
    "slowest, clipped, full precision",
    "ultra-safe",
)
WARMING, SLOW, FAR, FARTHEST = 0.1, 0.1, 0.01, 0.001  # times the run's learning rate
TIGHT = 0.1  # times its gradient clip
CLIP = 1.0  # where it has none
GUIDED, MOST_GUIDED = 10.0, 50.0  # times the run's weight of guided attention, and that weight at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What of the run's own settings the ladder starts from."""

    lr: float
    clip_norm: float
    precision: str
    batch_size: int
    accumulate: int
    weight_attention: float
    weight_mmi: float

    @property
    def clip(self) -> float:
        """The gradient clip, 1 where the run has none."""
        return self.clip_norm if math.isfinite(self.clip_norm) else CLIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Settings to try: remedies whose knobs hold and ramp back, and settings that stay changed in the new run."""

    name: str
    remedies: tuple[Remedy, ...] = ()
    fresh_optimizer: bool = False
    stays: Mapping[str, Any] = field(default_factory=dict)

    @property
    def delay(self) -> int:
        """Steps until all of them have ended."""
        return max((one.hold + one.ramp for one in self.remedies), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A state to go on from, and settings to do it with."""

    source: Source
    rung: Rung

    @property
    def fresh_optimizer(self) -> bool:
        """Say whether the optimizer begins anew."""
        return self.rung.fresh_optimizer or not self.source.optimizer_sound


def candidates(
    sources: Sequence[Source], own: Own, preset: Mapping[str, Any], trial: int = TRIAL
) -> Iterator[Candidate]:
    """Yield what to try, mild first: all rungs on the best source, the mild ones on the next, the preset at the end."""
    for number, source in enumerate(sources):
        rungs = _rungs(own, trial, guided=source.salvage and source.lost_attention)
        for rung in rungs if number == 0 else rungs[:3]:
            if rung.name != OWN or source.optimizer_sound:
                yield Candidate(source=source, rung=rung)
    for source in sources[:1]:
        yield Candidate(source=source, rung=ultra_safe(own, preset, trial))


def _rungs(own: Own, trial: int, *, guided: bool) -> list[Rung]:
    """The rungs above the preset. A dose holds for twice the trial, so that the trial had all of it.

    `guided`: an attention that begins anew is shown the diagonal from the first step on.
    """
    hold, ramp = 2 * trial, 4 * trial
    factor = min(MOST_GUIDED / (own.weight_attention or 1.0), GUIDED) if guided else 1.0
    guide = (_dose(Knobs(weights={"attention": factor}), hold, ramp),) if factor > 1.0 else ()
    warming, slow, clip = Knobs(lr_scale=WARMING), Knobs(lr_scale=SLOW), own.clip * TIGHT
    clipped = Knobs(lr_scale=SLOW, clip_norm=clip)
    wide = Precision.FP32 if own.precision != "fp32" else Precision.AS_RUN
    wider, slowest = (Knobs(lr_scale=scale, clip_norm=clip, precision=wide) for scale in (FAR, FARTHEST))
    return [
        Rung(name=OWN, remedies=guide),
        # Adam's first steps are as long as its rate allows, whatever the gradient: hence the warming.
        Rung(name=FRESH, remedies=(_dose(warming, 0, max(1, trial // 2)), *guide), fresh_optimizer=True),
        Rung(name=SLOWER, remedies=(_dose(slow, hold, ramp), *guide)),
        Rung(name=CLIPPED, remedies=(_dose(clipped, hold, ramp), *guide), fresh_optimizer=True),
        Rung(name=WIDER, remedies=(_dose(wider, hold, ramp), *guide), fresh_optimizer=True),
        Rung(name=SLOWEST, remedies=(_dose(slowest, hold, ramp), *guide), fresh_optimizer=True),
    ]


def ultra_safe(own: Own, preset: Mapping[str, Any], trial: int = TRIAL) -> Rung:
    """Return the preset as a rung: knobs on the run's own settings, and what no knob can change.

    A step sees as many clips as before, in more and smaller micro-batches. MMI is a weight of zero, since the network
    was built with its part for it.
    """
    guided = own.weight_attention or 1.0
    weights = {"attention": preset["weight_attention"] / guided}
    weights |= {"mmi": 0.0} if own.weight_mmi else {}
    precision = Precision.FP32 if own.precision != preset["precision"] else Precision.AS_RUN
    knobs = Knobs(lr_most=preset["lr"], clip_norm=preset["clip_norm"], weights=weights, precision=precision)
    clips = own.batch_size * own.accumulate
    batch = min(preset["batch_size"], clips)
    stays = {"batch_size": batch, "accumulate": -(-clips // batch), "guide_moves": preset["guide_moves"]}
    if not own.weight_attention:
        stays["weight_attention"] = guided
    return Rung(name=ULTRA, remedies=(_dose(knobs, 4 * trial, 12 * trial),), fresh_optimizer=True, stays=stays)


def _dose(knobs: Knobs, hold: int, ramp: int) -> Remedy:
    return Remedy(move=Move.COMMIT, knobs=knobs, hold=hold, ramp=ramp)
