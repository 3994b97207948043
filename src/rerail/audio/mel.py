"""Samples to log-mel spectrograms, as librosa computes them, on torch alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class MelSpec:
    """How a spectrogram is taken. Rates in Hz, lengths in samples; magnitudes below `floor` are raised to it."""

    sample_rate: int = 16000
    n_fft: int = 1024
    hop: int = 256
    win: int = 1024
    bands: int = 80
    f_min: float = 0.0
    f_max: float = 8000.0
    floor: float = 1e-5

    @property
    def silence(self) -> float:
        """The value of a silent band: the natural logarithm of the floor."""
        return math.log(self.floor)


def stft(samples: Tensor, spec: MelSpec) -> Tensor:
    """Return the complex spectrum `(n_fft / 2 + 1, frames)` of `(samples,)`: Hann window, centred, reflected edges."""
    window = torch.hann_window(spec.win)
    padded = _long_enough(samples, spec.n_fft // 2 + 1)
    return torch.stft(
        padded, spec.n_fft, spec.hop, spec.win, window, center=True, pad_mode="reflect", return_complex=True
    )


def log_mel(samples: Tensor, spec: MelSpec) -> Tensor:
    """Return the mel spectrogram `(frames, bands)`, natural logarithm of magnitude, of `(samples,)` in [-1, 1]."""
    magnitude = stft(samples.float(), spec).abs()
    return (filters(spec) @ magnitude).clamp(min=spec.floor).log().T.contiguous()


@lru_cache(maxsize=8)
def filters(spec: MelSpec) -> Tensor:
    """Return triangular filters `(bands, n_fft / 2 + 1)` on the mel scale of Slaney's Auditory Toolbox, unit area."""
    edges = _to_hertz(torch.linspace(_to_mel(spec.f_min), _to_mel(spec.f_max), spec.bands + 2, dtype=torch.float64))
    bins = torch.linspace(0, spec.sample_rate / 2, spec.n_fft // 2 + 1, dtype=torch.float64)
    width = edges.diff()
    distance = edges[:, None] - bins[None, :]
    rising, falling = -distance[:-2] / width[:-1, None], distance[2:] / width[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return (torch.minimum(rising, falling).clamp(min=0) * area[:, None]).float()


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
    missing = least - samples.shape[0]
    return torch.nn.functional.pad(samples, (0, missing)) if missing > 0 else samples
