"""Which encoder begins a tower, by what settings say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rerail.tasks.face_voice.encoders import SmallPictures, SmallVoices, Weighed
from rerail.tasks.face_voice.pretrained import PretrainedPictures
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.towers import extractors, matcher


def test_small_encoders_take_what_is_raw(tmp_path: Path) -> None:
    config = FaceVoiceConfig(width=8)
    found = extractors(config, tmp_path)
    assert (found.pictures, found.voices) == (None, None)
    model = matcher(config, found)
    assert isinstance(model.pictures.encoder, SmallPictures)
    assert isinstance(model.voices.encoder, SmallVoices)
    embedded = model({"image": torch.rand(2, 3, 16, 16), "audio": torch.randn(2, 4000)})
    assert embedded.pictures.shape == embedded.voices.shape == (2, 8)


def test_an_encoder_is_trained_or_stays_as_it_is(encoders: dict[str, str], tmp_path: Path) -> None:
    config = FaceVoiceConfig(width=8, image_encoder=encoders["vit"], audio_encoder=encoders["wav2vec2"])
    assert isinstance(matcher(config, extractors(config, tmp_path)).pictures.encoder, PretrainedPictures)
    frozen = FaceVoiceConfig(width=8, image_encoder=encoders["vit"], freeze=True)
    found = extractors(frozen, tmp_path)
    model = matcher(frozen, found)
    assert found.voices is None
    assert isinstance(model.pictures.encoder, Weighed)
    assert isinstance(model.voices.encoder, SmallVoices)


def test_a_rate_below_16_khz_has_bands_up_to_its_half(tmp_path: Path) -> None:
    config = FaceVoiceConfig(width=8, sample_rate=8000)
    encoder = matcher(config, extractors(config, tmp_path)).voices.encoder
    assert isinstance(encoder, SmallVoices)
    assert encoder.spec.f_max == 4000.0


def test_an_encoder_that_there_is_not_is_told(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason='pip install "rerail[pretrained]"')
    config = FaceVoiceConfig(image_encoder=str(tmp_path), freeze=True)
    with pytest.raises(ValueError, match="no model can be loaded"):
        extractors(config, tmp_path)
