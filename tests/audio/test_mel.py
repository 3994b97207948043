from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from rerail.audio import files, voiceprint
from rerail.audio.mel import MelSpec, filters, log_mel
from rerail.data import demo


@pytest.fixture(scope="module")
def speech() -> Tensor:
    return files.read(demo.folder() / "wavs" / "conf-getpin.flac", 16000)


@pytest.mark.parametrize(
    "spec",
    [
        MelSpec(),
        MelSpec(f_min=50.0, f_max=7600.0, hop=200, win=800, bands=64),
        MelSpec(sample_rate=22050),
        voiceprint.SPEC,
    ],
    ids=["default", "other-window", "other-rate", "voiceprint"],
)
def test_a_real_clip_gives_the_spectrogram_that_librosa_gives(speech: Tensor, spec: MelSpec) -> None:
    reference = librosa.feature.melspectrogram(
        y=speech.numpy(),
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop,
        win_length=spec.win,
        power=1.0,
        n_mels=spec.bands,
        fmin=spec.f_min,
        fmax=spec.f_max,
        pad_mode="reflect",
    )
    expected = np.log(np.maximum(reference, spec.floor)).T
    mel = log_mel(speech, spec).numpy()
    assert mel.shape == expected.shape
    assert mel.dtype == np.float32
    assert np.abs(np.exp(mel) - np.exp(expected)).max() < 1e-5  # of magnitudes up to about 3
    assert np.abs(mel - expected).max() < 1e-3  # the quietest bins carry float32 noise, which the logarithm shows


def test_filters_equal_librosas() -> None:
    expected = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    assert np.abs(filters(MelSpec()).numpy() - expected).max() < 1e-7


def test_frames_follow_the_hop_even_for_clips_shorter_than_a_window() -> None:
    assert log_mel(torch.zeros(16000), MelSpec()).shape == (1 + 16000 // 256, 80)
    assert log_mel(torch.randn(40), MelSpec()).shape[1] == 80


def test_silence_lies_on_the_floor() -> None:
    spec = MelSpec()
    assert torch.equal(log_mel(torch.zeros(4000), spec), torch.full((16, 80), float(np.float32(spec.silence))))


def test_a_sample_that_is_not_finite_is_not_hidden(speech: Tensor) -> None:
    spoilt = speech.clone()
    spoilt[20000] = float("nan")
    mel = log_mel(spoilt, MelSpec())
    assert torch.isnan(mel[20000 // 256]).all()
    assert torch.isfinite(mel[:50]).all()


def test_every_setting_that_fits_no_spectrogram_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"f_max: 8000.0 Hz is above half of sample_rate 8000") as error:
        MelSpec(sample_rate=8000, hop=0, win=2048)
    assert "hop: 0 is too small" in str(error.value)
    assert "win: 2048 is longer than n_fft 1024" in str(error.value)


def test_bands_that_would_stay_empty_are_refused() -> None:
    with pytest.raises(ValueError, match=r"bands: \d+ of 80 hold no frequency bin; lower bands or raise n_fft"):
        MelSpec(n_fft=128, win=128, hop=32)


def test_a_batch_is_as_its_rows_are() -> None:
    rows = 0.1 * torch.randn(3, 4000, generator=torch.Generator().manual_seed(0))
    alone = torch.stack([log_mel(row, MelSpec()) for row in rows])
    assert torch.allclose(log_mel(rows, MelSpec()), alone, atol=1e-5)
