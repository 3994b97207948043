"""Samples to log-mel spectrograms, as librosa computes them, on torch alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class MelSpec:
    """How a spectrogram is taken. Rates in Hz, lengths in samples; magnitudes below `floor` are raised to it.

    Raises:
        ValueError: naming every setting that fits no spectrogram.
    """

    sample_rate: int = 16000
    n_fft: int = 1024
    hop: int = 256
    win: int = 1024
    bands: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    floor: float = 1e-5

    def __post_init__(self) -> None:
        if problems := list(_problems(self)):
            raise ValueError("; ".join(problems))
        filters(self)  # bands too narrow to hold anything are refused here, not clip by clip

    @property
    def silence(self) -> float:
        """The value of a silent band: the natural logarithm of the floor."""
        return math.log(self.floor)

    def frames(self, seconds: float) -> float:
        """Return how many frames so many seconds are."""
        return seconds * self.sample_rate / self.hop


def stft(samples: Tensor, spec: MelSpec) -> Tensor:
    """Return the complex spectrum `(n_fft / 2 + 1, frames)` of `(samples,)`: Hann window, centred, reflected edges.

    Of `(batch, samples)` that of each.
    """
    window = torch.hann_window(spec.win, device=samples.device)
    padded = _long_enough(samples, spec.n_fft // 2 + 1)
    return torch.stft(
        padded, spec.n_fft, spec.hop, spec.win, window, center=True, pad_mode="reflect", return_complex=True
    )


def log_mel(samples: Tensor, spec: MelSpec) -> Tensor:
    """Return the mel spectrogram `(frames, bands)`, natural logarithm of magnitude, of `(samples,)` in [-1, 1].

    There are `1 + samples // hop` frames. Where samples are not finite, so are the frames they touch. Of
    `(batch, samples)` it is `(batch, frames, bands)`.
    """
    magnitude = stft(samples.float(), spec).abs()
    return (filters(spec).to(magnitude.device) @ magnitude).clamp(min=spec.floor).log().mT.contiguous()


@lru_cache(maxsize=8)
def filters(spec: MelSpec) -> Tensor:
    """Return triangular filters `(bands, n_fft / 2 + 1)` on the mel scale of Slaney's Auditory Toolbox, unit area.

    Raises:
        ValueError: where a band is so narrow that no frequency bin falls into it.
    """
    edges = _to_hertz(torch.linspace(_to_mel(spec.f_min), _to_mel(spec.f_max), spec.bands + 2, dtype=torch.float64))
    bins = torch.linspace(0, spec.sample_rate / 2, spec.n_fft // 2 + 1, dtype=torch.float64)
    width = edges.diff()
    distance = edges[:, None] - bins[None, :]
    rising, falling = -distance[:-2] / width[:-1, None], distance[2:] / width[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    triangles = (torch.minimum(rising, falling).clamp(min=0) * area[:, None]).float()
    if empty := int((triangles.sum(1) == 0).sum()):
        raise ValueError(f"bands: {empty} of {spec.bands} hold no frequency bin; lower bands or raise n_fft")
    return triangles


# Slaney's scale: linear below 1000 Hz (200/3 Hz a mel), logarithmic above (27 mels from 1000 to 6400 Hz).
_HERTZ_PER_MEL, _KNEE_HERTZ = 200.0 / 3.0, 1000.0
_KNEE_MEL, _LOG_STEP = _KNEE_HERTZ / _HERTZ_PER_MEL, math.log(6.4) / 27.0


def _to_mel(hertz: float) -> float:
    if hertz < _KNEE_HERTZ:
        return hertz / _HERTZ_PER_MEL
    return _KNEE_MEL + math.log(hertz / _KNEE_HERTZ) / _LOG_STEP


def _to_hertz(mel: Tensor) -> Tensor:
    above = _KNEE_HERTZ * torch.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return torch.where(mel < _KNEE_MEL, mel * _HERTZ_PER_MEL, above)


def _long_enough(samples: Tensor, least: int) -> Tensor:
    # Reflection needs more samples than it reflects; a shorter clip is followed by silence.
    missing = least - samples.shape[-1]
    return torch.nn.functional.pad(samples, (0, missing)) if missing > 0 else samples


def _problems(spec: MelSpec) -> Iterator[str]:
    for name in ("sample_rate", "n_fft", "hop", "win", "bands", "floor"):
        value = getattr(spec, name)
        if not value > 0:
            yield f"{name}: {value} is too small; give more than 0"
    if spec.win > spec.n_fft:
        yield f"win: {spec.win} is longer than n_fft {spec.n_fft}; give at most n_fft"
    if 2 * spec.hop > spec.win:  # windows must overlap, or samples between them are lost
        yield f"hop: {spec.hop} is too large for win {spec.win}; give at most {spec.win // 2}"
    if not 0 <= spec.f_min < spec.f_max:
        yield f"f_min: {spec.f_min} does not lie in 0 to f_max ({spec.f_max}); lower it"
    if spec.f_max > spec.sample_rate / 2:
        yield f"f_max: {spec.f_max} Hz is above half of sample_rate {spec.sample_rate}; give at most that half"
