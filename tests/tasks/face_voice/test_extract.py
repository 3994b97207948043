"""Features of encoders that stay as they are: computed once, and never those of another encoder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rerail.tasks.face_voice import extract
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.pretrained import PretrainedPictures, PretrainedVoices


def tone(pitch: float, seconds: float = 2.0) -> Tensor:
    return 0.3 * torch.sin(2 * torch.pi * pitch * torch.arange(round(16000 * seconds)) / 16000)


def counting(name: str = "a test's") -> tuple[Extractor, list[Tensor]]:
    seen = list[Tensor]()

    def compute(x: Tensor) -> Tensor:
        seen.append(x)
        return x[None, :2].double()

    return Extractor(name=name, layers=1, size=2, compute=compute), seen


def raw(*numbers: float) -> dict[str, Callable[[], Tensor]]:
    return {f"key {one}": partial(torch.full, (3,), one) for one in numbers}


def test_each_thing_is_computed_once_and_kept_on_the_disk(tmp_path: Path) -> None:
    extractor, seen = counting()
    told = list[tuple[int, int]]()
    found = extractor.kept(tmp_path, raw(1, 2), lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)
    again = extractor.kept(tmp_path, raw(2, 3, 1), None)
    assert [float(one[0]) for one in seen] == [1, 2, 3]
    assert again.keys() == {"key 1", "key 2", "key 3"}
    for key, expected in found.items():
        kept = again[key]
        assert isinstance(kept, Tensor)
        assert isinstance(expected, Tensor)
        assert kept.dtype == torch.float32
        assert torch.equal(kept, expected)


def test_features_of_another_encoder_are_not_taken(tmp_path: Path) -> None:
    counting()[0].kept(tmp_path, raw(1), None)
    other, seen = counting("another test's")
    other.kept(tmp_path, raw(1), None)
    assert len(seen) == 1


def test_what_cannot_be_computed_is_an_error_in_its_place(tmp_path: Path) -> None:
    found = counting()[0].kept(tmp_path, raw(1, float("nan")), None)
    assert isinstance(found["key 1"], Tensor)
    assert isinstance(found["key nan"], ValueError)
    assert "not finite" in str(found["key nan"])


def test_models_of_transformers_are_known_by_their_weights(encoders: dict[str, str]) -> None:
    ears = PretrainedVoices(encoders["hubert"])
    extractor = extract.of_transformer(ears, encoders["hubert"])
    sound = tone(200, 0.4)
    assert extractor(sound).shape == (extractor.layers, extractor.size) == (3, 32)
    assert torch.equal(extractor(sound), extractor(sound))  # no dropout
    assert not any(one.requires_grad for one in ears.parameters())
    other = PretrainedVoices(encoders["hubert"])
    assert extract.of_transformer(other, encoders["hubert"]).name == extractor.name
    with torch.no_grad():
        next(other.model.parameters()).add_(1.0)
    assert extract.of_transformer(other, encoders["hubert"]).name != extractor.name
    eyes = extract.of_transformer(PretrainedPictures(encoders["vit"]), encoders["vit"])
    assert eyes(torch.rand(3, 20, 20)).shape == (eyes.layers, eyes.size) == (1, 16)


def test_a_tower_sees_the_same_through_kept_features(encoders: dict[str, str]) -> None:
    """What is computed once and weighed gives what the whole encoder gives."""
    whole = PretrainedVoices(encoders["wav2vec2"])
    extractor = extract.of_transformer(whole, encoders["wav2vec2"])
    sound = tone(300, 0.4)
    with torch.no_grad():
        assert torch.allclose(whole(sound[None]), whole.weighed(extractor(sound)[None]), atol=1e-5)


@pytest.mark.skipif(find_spec("resemblyzer") is None, reason="pip install --no-deps resemblyzer==0.1.4")
def test_who_speaks_has_256_numbers() -> None:
    extractor = extract.of_speaker(16000)
    low, lower, high = (extractor(tone(pitch)) for pitch in (150, 155, 2000))
    assert low.shape == (1, extractor.size) == (1, 256)
    assert float((low * lower).sum()) > float((low * high).sum())
    assert extract.of_speaker(8000).name != extractor.name


def test_what_is_said_has_1024_numbers(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason='pip install "rerail[asr]"')
    with pytest.raises(ValueError, match="sample_rate: got 8000 with audio_encoder whisper; give 16000"):
        extract.of_speech(8000, tmp_path)
    extractor = extract.of_speech(16000, tmp_path)
    found = extractor(tone(200, 1.0))
    assert found.shape == (extractor.layers, extractor.size) == (1, 1024)
    assert bool(found.isfinite().all())


def test_whose_face_it_is_has_128_numbers_even_where_none_is_found() -> None:
    pytest.importorskip("dlib", reason='pip install --no-deps "rerail[faces]"')
    extractor = extract.of_faces()
    found = extractor(torch.rand(3, 60, 60))
    assert found.shape == (extractor.layers, extractor.size) == (1, 128)
    assert bool(found.isfinite().all())
