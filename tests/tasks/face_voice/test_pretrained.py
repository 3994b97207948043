"""Encoders of transformers, tiny ones with drawn weights, from a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.utils.checkpoint

from rerail.tasks.face_voice.model import Matcher
from rerail.tasks.face_voice.pretrained import PretrainedPictures, PretrainedVoices

pytest.importorskip("transformers", reason='pip install "rerail[pretrained]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change


def test_a_picture_of_any_size_is_encoded_as_the_model_was_trained(encoders: dict[str, str]) -> None:
    encoder = PretrainedPictures(encoders["vit"]).eval()
    with torch.no_grad():
        found = encoder(torch.rand(2, 3, 50, 40))
        white = encoder(torch.ones(1, 3, 32, 32))
        expected = encoder.model(pixel_values=torch.ones(1, 3, 32, 32)).last_hidden_state[:, 0]
    assert found.shape == (2, encoder.features) == (2, 16)
    assert torch.allclose(white, expected, atol=1e-5)  # (1 - 0.5) / 0.5


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_all_layers_of_a_voice_are_weighed(encoders: dict[str, str], name: str) -> None:
    encoder = PretrainedVoices(encoders[name]).eval()
    sound = torch.randn(2, 6400)
    found = encoder(sound)
    assert found.shape == (2, encoder.features) == (2, 32)
    found.sum().backward()
    assert encoder.weighed.layers is not None
    assert encoder.weighed.layers.shape == (3,)
    assert encoder.weighed.layers.grad is not None
    assert encoder.weighed.layers.grad.abs().sum() > 0
    with torch.no_grad():
        assert torch.allclose(encoder(3.0 * sound + 1.0), found, atol=1e-3)  # loudness says nothing


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_in_training_every_layer_is_there_and_a_chunk_is_encoded_twice_alike(
    encoders: dict[str, str], name: str
) -> None:
    encoder = PretrainedVoices(encoders[name])
    assert encoder.model.training  # as what is built beside it, and as it is again after a look at held-out pairs
    for seed in range(20):
        torch.manual_seed(seed)
        encoder(torch.randn(1, 1600))
    seen = list[torch.Tensor]()
    encoder.weighed.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    with torch.utils.checkpoint.set_checkpoint_early_stop(enable=False):
        torch.utils.checkpoint.checkpoint(encoder, torch.randn(4, 6400), use_reentrant=False).sum().backward()
    first, again = seen
    assert torch.equal(first, again)


def test_they_are_towers_as_others_are(encoders: dict[str, str]) -> None:
    model = Matcher(PretrainedPictures(encoders["vit"]), PretrainedVoices(encoders["hubert"]), width=8)
    embedded = model({"image": torch.rand(2, 3, 32, 32), "audio": torch.randn(2, 6400)})
    assert embedded.pictures.shape == embedded.voices.shape == (2, 8)


def test_a_model_of_another_kind_is_told(encoders: dict[str, str]) -> None:
    told = "image_encoder: .*hubert is a HubertModel, which takes input_values; give a model that takes pixel_values"
    with pytest.raises(ValueError, match=told):
        PretrainedPictures(encoders["hubert"])
    with pytest.raises(ValueError, match=r"audio_encoder: .*vit is a ViTModel, which takes pixel_values"):
        PretrainedVoices(encoders["vit"])


def test_a_place_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model can be loaded"):
        PretrainedPictures(str(tmp_path))
