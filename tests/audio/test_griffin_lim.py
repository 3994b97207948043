from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.griffin_lim import griffin_lim, linear_magnitude
from rerail.audio.mel import MelSpec, filters, log_mel, stft
from rerail.data import demo

SPEC = MelSpec()


@pytest.fixture(scope="module")
def mel() -> Tensor:
    return log_mel(files.read(demo.folder() / "wavs" / "conf-getpin.flac", 16000), SPEC)


@pytest.fixture(scope="module")
def samples(mel: Tensor) -> Tensor:
    return griffin_lim(mel, SPEC)


def convergence(found: Tensor, wanted: Tensor) -> float:
    """Spectral convergence: the error's norm as a share of the norm of what was wanted."""
    return float((found - wanted).norm() / wanted.norm())


def test_a_real_clip_comes_back(mel: Tensor, samples: Tensor) -> None:
    wanted = linear_magnitude(mel.exp().T, SPEC)
    assert samples.shape == ((mel.shape[0] - 1) * SPEC.hop,)
    assert convergence(stft(samples, SPEC).abs(), wanted) < 0.15  # librosa's own reaches 0.120 here
    assert convergence(log_mel(samples, SPEC).exp(), mel.exp()) < 0.08
    assert float((log_mel(samples, SPEC) - mel).abs().mean()) < 0.2


def test_more_iterations_come_nearer(mel: Tensor, samples: Tensor) -> None:
    wanted = linear_magnitude(mel.exp().T, SPEC)
    early = convergence(stft(griffin_lim(mel, SPEC, iterations=4), SPEC).abs(), wanted)
    assert convergence(stft(samples, SPEC).abs(), wanted) < 0.8 * early


def test_equal_input_gives_equal_samples_whatever_was_drawn_before(mel: Tensor) -> None:
    torch.manual_seed(1)
    first = griffin_lim(mel, SPEC, iterations=4)
    torch.manual_seed(2)
    assert torch.equal(first, griffin_lim(mel, SPEC, iterations=4))


def test_the_global_generator_is_left_alone(mel: Tensor) -> None:
    before = torch.get_rng_state()
    griffin_lim(mel, SPEC, iterations=2)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5])
def test_very_short_spectrograms_give_sound_too(frames: int) -> None:
    samples = griffin_lim(torch.full((frames, 80), -3.0), SPEC, iterations=2)
    assert samples.shape == (max(1, frames - 1) * SPEC.hop,)
    assert torch.isfinite(samples).all()


def test_silence_stays_silent() -> None:
    assert float(griffin_lim(torch.full((20, 80), SPEC.silence), SPEC, iterations=4).abs().max()) < 1e-3


def test_a_spectrogram_that_is_not_finite_is_refused(mel: Tensor) -> None:
    spoilt = mel.clone()
    spoilt[3, :2] = float("inf")
    with pytest.raises(ValueError, match=r"2 of \d+ mel values are not finite"):
        griffin_lim(spoilt, SPEC)


def test_linear_magnitudes_are_positive_and_fill_the_bands(mel: Tensor) -> None:
    bands = mel.exp().T
    magnitude = linear_magnitude(bands, SPEC)
    assert float(magnitude.min()) >= 0
    assert convergence(filters(SPEC) @ magnitude, bands) < 2e-3


def test_a_spectrogram_beyond_any_sound_is_refused(mel: Tensor) -> None:
    with pytest.raises(ValueError, match=r"a mel value of 90 nepers, past 30.0, is no speech"):
        griffin_lim(mel + (90.0 - mel.max()), SPEC)
    assert bool(torch.isfinite(griffin_lim(mel + (29.0 - mel.max()), SPEC, 5)).all())
