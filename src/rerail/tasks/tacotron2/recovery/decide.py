"""The decisions of a recovery, pure: what is wrong with a checkpoint, where to go on from, whether a trial passed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from types import MappingProxyType

from rerail.core.damage import Damage

Metrics = Mapping[str, float]

MEL = "mel"  # teacher-forced error on held-out clips, nepers
WORSE = 1.5  # times the best held-out error before: early in a run it rises by a third and falls again
LOST = 0.5  # of the best alignment before
READ = {"diagonality/forced": 0.3, "diagonality/free": 0.5}  # from where on an alignment is one to lose
ABANDONED = "abandoned"
NEAR = 100  # steps: a fresh optimizer costs about as many
HELD = dict.fromkeys(READ, 0.25)  # what a trial of some steps must not lose: less of it is noise
LEAST_BAND, MOST_BAND = 0.03, 0.2
FEW = 3  # evaluations
SIGMA = 1.4826  # of a normal distribution, in median absolute deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A checkpoint that was looked at. `health` is what its manifest says; `complaint` why it could not be read."""

    name: str
    step: int
    health: str = ""
    complaint: str = ""
    damages: tuple[Damage, ...] = ()
    metrics: Metrics = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong with it."""
        return not self.damages

    @property
    def weights_sound(self) -> bool:
        """Say whether its weights can be gone on from, if need be with a fresh optimizer."""
        return not any(one.of_weights for one in self.damages)


def judge(looked: Sequence[Looked], history: Iterable[tuple[int, Metrics]] = ()) -> tuple[Looked, ...]:
    """Add what the held-out metrics say of checkpoints, oldest first, beside those before and the run's `history`."""
    known = list(history)
    judged: list[Looked] = []
    for one in looked:
        before = [metrics for step, metrics in known if step <= one.step]
        before += [other.metrics for other in judged if other.sound and other.metrics]
        judged.append(replace(one, damages=(*one.damages, *_measured(one.metrics, before))))
    return tuple(judged)


def _measured(now: Metrics, before: Sequence[Metrics]) -> list[Damage]:
    if not now:
        return []
    if not math.isfinite(now[MEL]):
        return [Damage(code="loss.nonfinite", where=MEL)]
    best = min(_finite(before, MEL), default=math.inf)
    worse = now[MEL] > WORSE * best
    numbers = {"now": now[MEL], "best": best}
    found = [Damage(code="loss.worse", where=MEL, numbers=numbers)] if worse else []
    return [*found, *(Damage(code="attention.lost", where=n, numbers=m) for n, m in lost(now, before).items())]


def lost(
    now: Metrics, before: Sequence[Metrics], read: Mapping[str, float] = MappingProxyType(READ)
) -> dict[str, dict[str, float]]:
    """Return the alignments that were there before and are not now, with both numbers."""
    found = {}
    for name, enough in read.items():
        best = max(_finite(before, name), default=-math.inf)
        if best >= enough and not now.get(name, math.nan) >= LOST * best:
            found[name] = {"now": now.get(name, math.nan), "best": best}
    return found


def _finite(many: Iterable[Metrics], name: str) -> list[float]:
    return [one[name] for one in many if math.isfinite(one.get(name, math.nan))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A checkpoint to go on from; `salvage`: only with what is spoilt of its weights replaced."""

    looked: Looked
    salvage: bool = False

    @property
    def optimizer_sound(self) -> bool:
        """Say whether the optimizer's own state can be kept."""
        return not self.salvage and self.looked.sound

    @property
    def lost_attention(self) -> bool:
        """Say whether its attention has collapsed."""
        return any(one.code == "attention.lost" for one in self.looked.damages)


def sources(judged: Sequence[Looked]) -> tuple[Source, ...]:
    """Return where to go on from, best first: the newest healthy state and the one before it, else a salvage.

    Of two like states near each other the one with a sound optimizer is better. What the run went back behind comes
    only where there is nothing else. A state from before an alignment that was lost is healthy too: an attention that
    begins anew in late weights, at a late learning rate, was seen to take longer than the way back.
    """
    usable = [one for one in judged if one.weights_sound]
    kept = [one for one in usable if one.health != ABANDONED] or usable
    newest_first = sorted(kept, key=lambda one: one.step, reverse=True)
    if not newest_first:
        return tuple(Source(looked=one, salvage=True) for one in sorted(judged, key=_worth, reverse=True))
    whole = next((one for one in newest_first if one.sound), newest_first[0])
    first = whole if newest_first[0].step - whole.step <= NEAR else newest_first[0]
    second = [one for one in newest_first if one.step < first.step][:1]
    return tuple(Source(looked=one) for one in (first, *second))


def _worth(one: Looked) -> tuple[bool, int]:
    return one.health != ABANDONED, one.step


def band(history: Iterable[tuple[int, Metrics]]) -> float:
    """Return the share by which the held-out error moves between evaluations beside its trend: 2 sigma, robustly."""
    values = [value for _, one in history if math.isfinite(value := one.get(MEL, math.nan))][-9:]
    if len(values) < FEW:
        return MOST_BAND / 2
    moves = [math.log(after / before) for before, after in pairwise(values) if min(before, after) > 0]
    spread = median(abs(one - median(moves)) for one in moves) if moves else 0.0
    return min(max(2 * SIGMA * spread, LEAST_BAND), MOST_BAND)


def failure(before: Metrics, after: Metrics, trouble: str, most: float) -> str:
    """Return why a trial failed, nothing where it passed; `most` is the share by which the error may have risen."""
    if trouble:
        return trouble
    if not math.isfinite(after[MEL]):
        return "the held-out mel error is not finite afterwards"
    if after[MEL] > before[MEL] * (1 + most):
        return f"the held-out mel error rose from {before[MEL]:.3g} to {after[MEL]:.3g}, by more than {most:.0%}"
    gone = [
        f"{name} fell from {one['best']:.2f} to {one['now']:.2f}" for name, one in lost(after, [before], HELD).items()
    ]
    return "; ".join(gone)
