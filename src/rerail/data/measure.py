"""What one recording is like: how long, how loud, how full, where its speech begins and ends."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rerail.audio.trim import FRAME, THRESHOLD_DB, bounds
from rerail.data.clip import Clip
from rerail.text.normalise import normalise

FULL_SCALE = 0.999  # a sample this loud is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A clip and its recording in figures.

    `first` to `end` are the samples that trimming leaves; of these are `seconds`, `level` (RMS, dB of full scale) and
    `quiet` (share of frames 40 dB below the loudest). `full` is the share of samples at full scale. Recordings with the
    same `digest` are the same.
    """

    clip: Clip
    characters: int
    rate: int
    samples: int
    first: int
    end: int
    nonfinite: int
    peak: float
    full: float
    level: float
    quiet: float
    digest: str

    @property
    def seconds(self) -> float:
        """Length of what trimming leaves."""
        return (self.end - self.first) / self.rate


def measure(clip: Clip, samples: Tensor, rate: int, *, trimmed: bool = True) -> Measured:
    """Measure `(samples,)` at `rate` Hz; without `trimmed`, silence at the ends counts as part of the clip."""
    first, end = bounds(samples) if trimmed else (0, samples.numel())
    speech, loud = samples[first:end], samples.abs()
    return Measured(
        clip=clip,
        characters=len(spoken(clip)),
        rate=rate,
        samples=samples.numel(),
        first=first,
        end=end,
        nonfinite=int((~torch.isfinite(samples)).sum()),
        peak=float(loud.max()),
        full=float((loud >= FULL_SCALE).float().mean()),
        level=_decibels(float(speech.square().mean())),
        quiet=_quiet(speech),
        digest=hashlib.sha256(samples.numpy().tobytes()).hexdigest(),
    )


def spoken(clip: Clip) -> str:
    """Return a clip's text as it is said; where its numbers cannot be spelled, as it is written."""
    try:
        return normalise(clip.text, language=clip.language)
    except ValueError:
        return normalise(clip.text)


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else (-math.inf if power == 0 else math.nan)


def _quiet(speech: Tensor) -> float:
    frames = speech[: speech.numel() // FRAME * FRAME].reshape(-1, FRAME).square().mean(1)
    return float((frames < frames.max() * 10 ** (-THRESHOLD_DB / 10)).float().mean()) if len(frames) else 0.0
