from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
import torch

from rerail.audio import files
from rerail.audio.voiceprint import SPEC, Encoder, Voiceprint, power_mel
from rerail.data import demo


def test_without_it_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerail.audio.parts.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"run: pip install --no-deps resemblyzer==0\.1\.4"):
        Voiceprint.load()


def test_spectrograms_hold_the_power_of_each_band() -> None:
    sound = files.read(demo.folder() / "wavs" / "all-circuits-busy-now.flac", 16000)
    assert power_mel(sound).shape == (1 + len(sound) // 160, 40)
    assert torch.allclose(power_mel(2 * sound), 4 * power_mel(sound), rtol=1e-4)


def test_vectors_have_length_one_whatever_the_length_the_rate_and_the_loudness() -> None:
    torch.manual_seed(0)
    voiceprint = Voiceprint(Encoder().eval())
    for samples, rate in ((100, 16000), (40_000, 16000), (40_000, 8000)):
        sound = torch.randn(samples) * 1e-4
        assert float(voiceprint(sound, rate).norm()) == pytest.approx(1.0, abs=1e-5)
    assert SPEC.bands == voiceprint.encoder.lstm.input_size
    assert torch.isfinite(voiceprint(torch.zeros(16000), 16000)).all()
    assert voiceprint(torch.full((16000,), torch.nan), 16000).isnan().any()  # a NaN is not hidden


@pytest.mark.skipif(find_spec("resemblyzer") is None, reason="no weights; pip install --no-deps resemblyzer==0.1.4")
def test_two_halves_of_a_recording_are_nearer_than_another_pitch() -> None:
    voiceprint = Voiceprint.load()
    one = files.read(demo.folder() / "wavs" / "all-circuits-busy-now.flac", 16000)
    half = len(one) // 2
    own = float(voiceprint(one[:half], 16000) @ voiceprint(one[half:], 16000))
    other = float(voiceprint(one[:half], 16000) @ voiceprint(one[half:], 11000))  # as if of a smaller head
    assert own > other + 0.1
    assert "webrtcvad" not in sys.modules
