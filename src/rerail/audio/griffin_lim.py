"""Log-mel spectrograms back to samples, without a vocoder."""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.audio.mel import MelSpec, filters, stft

MOMENTUM = 0.99
NNLS_STEPS = 200
LOUDEST = 30.0  # a magnitude of e^30, a million million times full scale; squares of much more overflow
TINY = 1e-10  # keeps divisions defined where a magnitude is zero; far below any floor


def griffin_lim(mel: Tensor, spec: MelSpec, iterations: int = 60) -> Tensor:
    """Return samples `((frames - 1) * hop,)` whose spectrogram is near `mel` `(frames, bands)`, natural logarithm.

    Fast Griffin-Lim (Perraudin, Balazs and Soendergaard 2013) from a fixed start, so that equal input gives equal
    output and no random generator is touched. One frame or none gives `hop` samples.

    Raises:
        ValueError: for a spectrogram that is not finite, or far beyond any sound.
    """
    refuse_no_sound(mel)
    frames = mel.shape[0]
    magnitude = linear_magnitude(_long_enough(mel.detach().float(), spec).exp().T, spec)
    phase = _start(magnitude)
    before = torch.zeros_like(phase)
    for _ in range(iterations):
        rebuilt = stft(_samples(magnitude * phase, spec), spec)
        leap = rebuilt - before * (MOMENTUM / (1 + MOMENTUM))
        phase = leap / leap.abs().clamp(min=TINY)
        before = rebuilt
    return _samples(magnitude * phase, spec)[: max(1, frames - 1) * spec.hop]


def refuse_no_sound(mel: Tensor) -> None:
    """Refuse what no vocoder can speak; mel: natural logarithm of magnitude.

    Raises:
        ValueError: for a spectrogram that is not finite, or far beyond any sound.
    """
    if bad := int((~torch.isfinite(mel)).sum()):
        raise ValueError(f"{bad} of {mel.numel()} mel values are not finite; nothing can be spoken; check the model")
    if (loudest := float(mel.max()) if mel.numel() else 0.0) > LOUDEST:
        raise ValueError(f"a mel value of {loudest:.3g} nepers, past {LOUDEST}, is no speech; check the model")


def linear_magnitude(mel: Tensor, spec: MelSpec) -> Tensor:
    """Return the magnitude spectrum `(n_fft / 2 + 1, frames)` whose mel bands are `(bands, frames)`, none negative.

    Multiplicative updates for non-negative least squares (Lee and Seung 2001), from the back-projected bands.
    """
    basis = filters(spec).to(mel.device)
    projected = basis.T @ mel
    guess = projected.clamp(min=TINY)
    for _ in range(NNLS_STEPS):
        guess = guess * projected / (basis.T @ (basis @ guess)).clamp(min=TINY)
    return guess


def _samples(spectrum: Tensor, spec: MelSpec) -> Tensor:
    window = torch.hann_window(spec.win, device=spectrum.device)
    length = (spectrum.shape[1] - 1) * spec.hop
    return torch.istft(spectrum, spec.n_fft, spec.hop, spec.win, window, length=length)


def _start(magnitude: Tensor) -> Tensor:
    # Noise rather than zeros: equal phases everywhere pile up to clicks that the iterations never quite lose.
    turns = torch.rand(magnitude.shape, generator=torch.Generator().manual_seed(0)).to(magnitude.device)
    return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)


def _long_enough(mel: Tensor, spec: MelSpec) -> Tensor:
    # The spectrum of fewer frames cannot be taken back: its edges would be reflected past its end.
    missing = 2 + spec.n_fft // (2 * spec.hop) - mel.shape[0]
    return torch.nn.functional.pad(mel, (0, 0, 0, missing), value=spec.silence) if missing > 0 else mel
