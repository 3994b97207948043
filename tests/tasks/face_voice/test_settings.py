from __future__ import annotations

import pytest

from rerail.tasks.face_voice.settings import FaceVoiceConfig


@pytest.mark.parametrize("encoder", ["whisper", "facebook/wav2vec2-base"])
def test_an_encoder_that_hears_one_rate_alone_is_given_no_other(encoder: str) -> None:
    found = FaceVoiceConfig(audio_encoder=encoder, sample_rate=22050).clashes()
    assert found == [f"sample_rate: got 22050 with audio_encoder {encoder}; give 16000"]
    assert FaceVoiceConfig(audio_encoder=encoder).clashes() == []


@pytest.mark.parametrize("encoder", ["small", "resemblyzer"])
def test_others_take_any_rate(encoder: str) -> None:
    assert FaceVoiceConfig(audio_encoder=encoder, sample_rate=22050).clashes() == []


def test_settings_that_cannot_be_together_are_told_at_once() -> None:
    found = FaceVoiceConfig(pairs="a.csv", image_folder="b", audio_folder="c").clashes()
    assert [one.partition(":")[0] for one in found] == ["pairs"]
    assert "give both" in FaceVoiceConfig(image_folder="b").clashes()[0]
    assert "the small encoders know nothing" in FaceVoiceConfig(freeze=True).clashes()[0]
