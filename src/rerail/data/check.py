"""Look through a corpus before training: what is odd about the recordings, and which texts do not fit them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.mel import MelSpec
from rerail.data.clip import Clip

SECONDS = (0.3, 20.0)
SILENT = 1e-3  # peak
FULL_SCALE, CLIPPED = 0.999, 1e-3  # a sample this loud is cut off; more than this share of them is heard
RATE_CLIPS, MISFIT = 16, 0.5  # from so many clips on, a length is odd that is off by this share of the expected one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    clip: Clip
    seconds: float


def check(clips: Sequence[Clip], spec: MelSpec) -> tuple[list[str], bool]:
    """Return one warning a line, none for a sound corpus, and whether training could read every recording.

    None is changed or left out.
    """
    warnings, measured, readable = [], list[_Measured](), True
    for clip in clips:
        try:
            samples = files.read(clip.path, spec.sample_rate)
        except ValueError as error:
            warnings.append(str(error))
            readable = False
            continue
        warnings += [f"{clip.id}: {warning}" for warning in _odd(samples, spec.sample_rate)]
        measured.append(_Measured(clip=clip, seconds=samples.numel() / spec.sample_rate))
    return [*warnings, *_rates(measured)], readable


def _odd(samples: Tensor, sample_rate: int) -> Iterator[str]:
    size, seconds = samples.numel(), samples.numel() / sample_rate
    if bad := int((~torch.isfinite(samples)).sum()):
        yield f"{bad} of {size} samples are not finite; restore the recording"
        return
    peak, full = float(samples.abs().max()), float((samples.abs() >= FULL_SCALE).float().mean())
    if peak < SILENT:
        yield f"silent (peak {peak:.1e}); record it again or remove it"
    if full > CLIPPED:
        yield f"clipped ({full:.1%} of its samples at full scale); record it more quietly"
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        yield f"{seconds:.2f} s long, outside {SECONDS[0]} to {SECONDS[1]} s; cut it or remove it"


def _rates(measured: Sequence[_Measured]) -> Iterator[str]:
    """Yield clips whose seconds do not fit `start + slope * characters`: mostly wrong transcripts."""
    if len(measured) < RATE_CLIPS:
        return
    start, slope = _line(sorted((len(one.clip.text), one.seconds) for one in measured))
    for one in measured:
        characters, expected = len(one.clip.text), start + slope * len(one.clip.text)
        if expected <= 0 or abs(one.seconds / expected - 1) > MISFIT:
            took = f"{one.seconds:.2f} s for {characters} characters, expected {expected:.2f} s"
            yield f"{one.clip.id}: {took}; check its text"


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return start and slope of a line that a quarter of wrong points does not move (Theil 1950, far pairs only)."""
    half = len(points) // 2
    pairs = zip(points[:half], points[-half:], strict=True)
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairs if x1 > x0]
    slope = median(slopes) if slopes else 0.0
    return median(y - slope * x for x, y in points), slope
