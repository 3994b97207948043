from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.voiceprint import Encoder, Voiceprint
from rerail.data import demo
from rerail.tasks.xtts.consistency import consistency


@pytest.fixture
def voiceprint() -> Voiceprint:
    torch.manual_seed(0)
    return Voiceprint(Encoder().eval().requires_grad_(requires_grad=False))


def test_equal_spectrograms_have_one_voice_and_others_pull_at_the_prediction(voiceprint: Voiceprint) -> None:
    said = torch.randn(3, 90, 80) - 5.0
    length = torch.tensor([90, 70, 20])
    assert float(consistency(voiceprint, said, said, length, MelSpec())) == pytest.approx(0.0, abs=1e-5)
    predicted = (torch.randn(3, 90, 80) - 5.0).requires_grad_()
    loss = consistency(voiceprint, predicted, said, length, MelSpec())
    loss.backward()
    assert 0.0 < float(loss.detach()) <= 1.0
    assert predicted.grad is not None
    assert torch.isfinite(predicted.grad).all()
    assert not predicted.grad[2, 20:].any()  # what pads a clip is not heard
    assert predicted.grad.any(dim=2).any(dim=1).all()


def test_a_nan_is_not_hidden(voiceprint: Voiceprint) -> None:
    said = torch.randn(2, 80, 80) - 5.0
    predicted = said.clone()
    predicted[1] = torch.nan
    assert consistency(voiceprint, predicted, said, torch.tensor([80, 80]), MelSpec()).isnan()


@pytest.mark.skipif(find_spec("resemblyzer") is None, reason="no weights; pip install --no-deps resemblyzer==0.1.4")
def test_spectrograms_are_heard_much_as_their_sounds_are() -> None:
    voiceprint, spec = Voiceprint.load(), MelSpec()
    paths = sorted((demo.folder() / "wavs").glob("*.flac"))[:6]
    sounds = [files.read(path, spec.sample_rate)[: 2 * spec.sample_rate] for path in paths]
    alike = [
        float(voiceprint(sound, spec.sample_rate) @ voiceprint.of_spectrograms(log_mel(sound, spec)[None], spec)[0])
        for sound in sounds
    ]
    assert sum(alike) / len(alike) > 0.65
