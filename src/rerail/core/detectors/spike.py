"""Belief: a loss has left its trend upwards, far in one tick or for several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from rerail.core.finding import Finding
from rerail.core.parts import WHOLE
from rerail.core.reading import Reading
from rerail.core.series import Series, baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One loss: the accepted values, the suspected ones since, and where it came from."""

    accepted: Series = field(default_factory=Series)
    suspected: Series = field(default_factory=Series)
    start: float = 0.0  # size of the loss at the end of the warm-up


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeMemory:
    """A track per loss, and one of the total where there are several."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    total: Track = field(default_factory=Track)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A value is suspect when it is `sigmas` robust deviations *and* the factor `rise` above the detrended baseline.

    `persistence` suspects in a row are a `loss.spike`; a single one beyond `at_once` times the baseline is a
    `loss.outlier`. The baseline counts as no smaller than the share `floor` of where the loss started, since a loss
    near zero multiplies easily; and one heavy-tailed batch reaches hundreds of times the median in healthy runs, which
    is why `at_once` is as high as it is. Suspects and non-finite values stay out of the window that they are judged
    against. A level that lasts `adopt` ticks becomes the new baseline. The first `warmup` values are only watched.
    One-sided: a falling loss is never a spike. Of several components one may rise while what is minimised falls (the
    divergence of a variational autoencoder): short of an outlier it is suspect only where the total is above its own
    baseline too, by `few` deviations and the factor `together`.
    """

    window: int = 32
    warmup: int = 10
    sigmas: float = 6.0
    rise: float = 1.6
    at_once: float = 1000.0
    floor: float = 0.05
    persistence: int = 3
    adopt: int = 30
    few: float = 3.0
    together: float = 1.2

    def init(self) -> SpikeMemory:
        """Return empty memory."""
        return SpikeMemory()

    def update(self, memory: SpikeMemory, reading: Reading) -> tuple[SpikeMemory, tuple[Finding, ...]]:
        """Judge every component that has a weight, as it is felt; the total only where it is alone."""
        step = reading.values.get("step", float(reading.tick))
        tracks, findings = dict(memory.tracks), []
        losses = {name: reading.felt(name) for name in reading.under("loss")}
        whole = losses.pop(WHOLE, math.nan) if len(losses) > 1 else math.nan
        total, over = self._follow(memory.total, step, whole, self.few, self.together)
        risen = not math.isfinite(whole) or over > 0 or not memory.total.start
        for name, value in losses.items():
            if reading.off(name):
                tracks.pop(name, None)
            elif math.isfinite(value):
                tracks[name], found = self._judge(tracks.get(name, Track()), name, step, value, risen=risen)
                findings += found
        return SpikeMemory(tracks=tracks, total=total), tuple(findings)

    def wary(self, memory: SpikeMemory) -> bool:
        """Say whether the last value of any loss is suspect."""
        return any(track.suspected.values for track in memory.tracks.values())

    def _judge(self, known: Track, name: str, step: float, value: float, *, risen: bool) -> tuple[Track, list[Finding]]:
        track, over = self._follow(known, step, value, self.sigmas, self.rise)
        if not over:
            return track, []
        if not risen and over < self.at_once:
            return self._accept(known, step, value), []
        ticks = len(track.suspected.values)
        code = "loss.outlier" if over >= self.at_once else "loss.spike"
        if code == "loss.spike" and ticks % self.persistence:
            return track, []
        usual = baseline(track.accepted.values)
        evidence = {name: value, "expected": usual.expected, "spread": usual.spread, "ticks": float(ticks)}
        return track, [Finding(code=code, signal=name, evidence=evidence)]

    def _follow(self, track: Track, step: float, value: float, sigmas: float, rise: float) -> tuple[Track, float]:
        """Take a value in; return by how many times the baseline it is suspect, 0 where it is accepted."""
        if not math.isfinite(value):
            return track, 0.0
        track = replace(track, accepted=track.accepted.before(step))
        if len(track.accepted.values) < self.warmup:
            taken = self._accept(track, step, value)
            return replace(taken, start=max(taken.start, median(map(abs, taken.accepted.values)))), 0.0
        if track.start == 0 and value != 0:  # switched off until now: it begins here
            return Track(accepted=Series().add(step, value, self.window), start=abs(value)), 0.0
        usual = baseline(track.accepted.values)
        over, size = value - usual.expected, max(abs(usual.expected), self.floor * track.start)
        if over <= max(sigmas * usual.spread, (rise - 1) * size):
            return self._accept(track, step, value), 0.0
        track = replace(track, suspected=track.suspected.add(step, value, self.adopt))
        if len(track.suspected.values) >= self.adopt:
            return Track(accepted=track.suspected, start=track.start), 0.0
        return track, over / size

    def _accept(self, track: Track, step: float, value: float) -> Track:
        accepted = track.accepted.before(step).add(step, value, self.window)
        return Track(accepted=accepted, start=track.start)
