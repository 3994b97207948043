from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.distance import cepstra, distance, mel_cepstral_distortion
from rerail.audio.mel import MelSpec, log_mel
from rerail.data import demo


def mel_of(name: str) -> Tensor:
    return log_mel(files.read(demo.folder() / "wavs" / f"{name}.flac", 16000), MelSpec())


@pytest.fixture(scope="module")
def mel() -> Tensor:
    return mel_of("conf-getpin")


def test_equal_spectrograms_are_no_distance_apart(mel: Tensor) -> None:
    found = distance(mel, mel)
    assert found.mel == found.cepstral == 0.0


def test_slower_speech_of_the_same_sounds_is_near_and_other_words_are_far(mel: Tensor) -> None:
    slower = mel.repeat_interleave(2, 0)
    assert distance(slower, mel).mel < 1e-6
    other = distance(mel_of("agent-pass"), mel)
    assert other.mel > 0.8
    assert other.cepstral > 4.0


def test_a_spectrogram_that_is_everywhere_the_same_gains_nothing_by_its_length(mel: Tensor) -> None:
    mean = mel.mean(0)
    wanted = float((mel - mean).abs().mean())
    for frames in (1, len(mel) // 2, len(mel), 3 * len(mel)):
        assert distance(mean.expand(frames, -1), mel).mel == pytest.approx(wanted, rel=1e-4)


def test_the_distortion_is_the_difference_of_the_smoothed_spectra_in_decibels(mel: Tensor) -> None:
    bands = torch.arange(80) + 0.5
    ripple = 0.3 * torch.cos(math.pi * 4 * bands / 80)  # nepers; one cosine of the thirteen
    decibels = 20.0 / math.log(10.0) * ripple.square().mean().sqrt()
    assert mel_cepstral_distortion(mel + ripple, mel).tolist() == pytest.approx([float(decibels)] * len(mel), rel=1e-4)
    louder = mel_cepstral_distortion(mel + 2.0, mel)  # the energy is not among them
    finer = mel_cepstral_distortion(mel + torch.cos(math.pi * 30 * bands / 80), mel)
    assert float(louder.max()) == pytest.approx(0.0, abs=1e-4)
    assert float(finer.max()) == pytest.approx(0.0, abs=1e-4)


def test_cepstra_are_a_cosine_transform(mel: Tensor) -> None:
    scipy = pytest.importorskip("scipy.fft")
    wanted = scipy.dct(mel.double().numpy(), type=2, axis=1)[:, 1:14] / 80
    assert torch.allclose(cepstra(mel), torch.from_numpy(wanted), atol=1e-6)
    assert cepstra(mel[:, :6]).shape == (len(mel), 5)  # of six bands there are no more


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_has_no_distance(mel: Tensor, value: float) -> None:
    bad = mel.clone()
    bad[3, 7] = value
    for one, other in ((bad, mel), (mel, bad), (mel[:0], mel)):
        assert math.isnan(distance(one, other).mel)
        assert math.isnan(distance(one, other).cepstral)
