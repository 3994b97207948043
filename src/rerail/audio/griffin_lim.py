"""Log-mel spectrograms back to samples, without a vocoder."""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.audio.mel import MelSpec, filters, stft

MOMENTUM = 0.99
NNLS_STEPS = 200


def griffin_lim(mel: Tensor, spec: MelSpec, iterations: int = 60) -> Tensor:
    """Return samples `(n,)` whose spectrogram is near `mel` `(frames, bands)`, natural logarithm of magnitude.

    Fast Griffin-Lim (Perraudin, Balazs and Soendergaard 2013) from a fixed start, so that equal input gives equal
    output and no random generator is touched.
    """
    magnitude = linear_magnitude(mel.detach().float().exp().T, spec)
    length = (magnitude.shape[1] - 1) * spec.hop
    window = torch.hann_window(spec.win)
    noise = torch.rand(magnitude.shape, generator=torch.Generator().manual_seed(0))
    angles = torch.polar(torch.ones_like(noise), 2 * torch.pi * noise)
    before = torch.zeros_like(angles)
    for _ in range(iterations):
        samples = torch.istft(magnitude * angles, spec.n_fft, spec.hop, spec.win, window, length=length)
        rebuilt = stft(samples, spec)
        angles = rebuilt - before * (MOMENTUM / (1 + MOMENTUM))
        angles = angles / angles.abs().clamp(min=1e-16)
        before = rebuilt
    return torch.istft(magnitude * angles, spec.n_fft, spec.hop, spec.win, window, length=length)


def linear_magnitude(mel: Tensor, spec: MelSpec) -> Tensor:
    """Return the magnitude spectrum `(n_fft / 2 + 1, frames)` whose mel bands are `(bands, frames)`, none negative.

    Multiplicative updates for non-negative least squares (Lee and Seung 2001), from the back-projected bands.
    """
    basis = filters(spec)
    guess = (basis.T @ mel).clamp(min=1e-10)
    for _ in range(NNLS_STEPS):
        guess = guess * (basis.T @ mel) / (basis.T @ (basis @ guess)).clamp(min=1e-10)
    return guess
