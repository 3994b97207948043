"""Belief: a loss has left its trend upwards, far in one tick or for several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from rerail.core.finding import Finding
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
    """A track per loss."""

    tracks: Mapping[str, Track] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A value is suspect when it is `sigmas` robust deviations *and* the factor `rise` above the detrended baseline.

    `persistence` suspects in a row are a `loss.spike`; a single one beyond `at_once` times the baseline is a
    `loss.outlier`. The baseline counts as no smaller than the share `floor` of where the loss started, since a loss
    near zero multiplies easily; and one heavy-tailed batch reaches hundreds of times the median in healthy runs, which
    is why `at_once` is as high as it is. Suspects and non-finite values stay out of the window that they are judged
    against. A level that lasts `adopt` ticks becomes the new baseline. The first `warmup` values are only watched.
    One-sided: a falling loss is never a spike.
    """

    window: int = 32
    warmup: int = 10
    sigmas: float = 6.0
    rise: float = 1.6
    at_once: float = 1000.0
    floor: float = 0.05
    persistence: int = 3
    adopt: int = 30

    def init(self) -> SpikeMemory:
        """Return empty memory."""
        return SpikeMemory()

    def update(self, memory: SpikeMemory, reading: Reading) -> tuple[SpikeMemory, tuple[Finding, ...]]:
        """Judge every component that has a weight, as it is felt; the total only where it is alone."""
        step = reading.values.get("step", float(reading.tick))
        tracks, findings = dict(memory.tracks), []
        losses = reading.under("loss")
        for name in losses:
            value = reading.felt(name)
            if reading.off(name):
                tracks.pop(name, None)
            elif math.isfinite(value) and (name != "loss/total" or len(losses) == 1):
                track = tracks.get(name, Track())
                track = replace(track, accepted=track.accepted.before(step))
                tracks[name], found = self._judge(track, name, step, value)
                findings += found
        return SpikeMemory(tracks=tracks), tuple(findings)

    def wary(self, memory: SpikeMemory) -> bool:
        """Say whether the last value of any loss is suspect."""
        return any(track.suspected.values for track in memory.tracks.values())

    def _judge(self, track: Track, name: str, step: float, value: float) -> tuple[Track, list[Finding]]:
        accepted = Track(accepted=track.accepted.add(step, value, self.window), start=track.start)
        if len(track.accepted.values) < self.warmup:
            return replace(accepted, start=max(accepted.start, median(map(abs, accepted.accepted.values)))), []
        usual = baseline(track.accepted.values)
        if track.start == 0 and value != 0:  # switched off until now: it begins here
            return Track(accepted=Series().add(step, value, self.window), start=abs(value)), []
        over, size = value - usual.expected, max(abs(usual.expected), self.floor * track.start)
        if over <= max(self.sigmas * usual.spread, (self.rise - 1) * size):
            return accepted, []
        track = replace(track, suspected=track.suspected.add(step, value, self.adopt))
        ticks = len(track.suspected.values)
        if ticks >= self.adopt:
            return Track(accepted=track.suspected, start=track.start), []
        code = "loss.outlier" if over >= self.at_once * size else "loss.spike"
        if code == "loss.spike" and ticks % self.persistence:
            return track, []
        evidence = {name: value, "expected": usual.expected, "spread": usual.spread, "ticks": float(ticks)}
        return track, [Finding(code=code, signal=name, evidence=evidence)]
