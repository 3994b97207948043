"""Pairs as a run has them: what cannot be used is named and left out, and nobody who was set aside comes back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from torch import Tensor

import small_pairs
from rerail.data.pairs.split import Parts
from rerail.fit import FitConfig
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.pairing import Apart, Paired
from rerail.tasks.face_voice.task import FaceVoiceTask
from rerail.tasks.face_voice.towers import Extractors
from small_matcher import config


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    small_pairs.learnable(tmp_path, 6, 2)
    return tmp_path


def of_means(x: Tensor) -> Tensor:
    """One layer of two numbers."""
    return torch.stack([x.mean(), x.square().mean()])[None]


def test_what_is_wrong_with_files_is_told_each_and_the_rest_trains(pairs: Path) -> None:
    pictures, sounds = pairs / "pictures", pairs / "sounds"
    (pictures / "p00/0.png").write_bytes(b"no picture")
    soundfile.write(sounds / "p00/1.wav", np.zeros(8000), small_pairs.RATE)
    small_pairs.recording(sounds / "p01/0.wav", 3, rate=44100, channels=2)
    (sounds / "p01/1.wav").unlink()
    small_pairs.recording(sounds / "p02/0.flac", 4)
    Image.new("1", (9000, 8000)).save(pictures / "p02/1.png")
    soundfile.write(sounds / "p03/0.wav", np.full(8000, math.nan), small_pairs.RATE, subtype="FLOAT")
    task = FaceVoiceTask(config(pairs, validation_size=0.4, test_size=0.0), FitConfig(batch_size=2, steps=1))
    odd = {line.partition(": ")[0]: line for line in task.odd(lambda *_: None)}
    assert odd.keys() == {"p00/0", "p00/1", "p01/1", "p02/0", "p02/1", "p03/0"}
    assert "unreadable: 0.png: cannot be decoded" in odd["p00/0"]
    assert "silent: 1.wav: silent" in odd["p00/1"]
    assert "no audio: 1.png has no recording p01/1.*; add it" in odd["p01/1"]
    assert "name twice: 0.flac and 0.wav have one name; rename or remove one" in odd["p02/0"]
    assert "huge: 1.png: 9000 x 8000 pixels, over 64 million; scale it down" in odd["p02/1"]
    assert "not finite: 0.wav: 8000 of 8000 samples are not finite" in odd["p03/0"]
    kept = {one.pair.id: one for one in task.paired.examined().kept}
    assert kept.keys() == {f"p{n:02}/{one}" for n in range(6) for one in range(2)} - odd.keys()
    assert kept["p01/0"].sound.shape == (8000,)  # one channel, of the run's rate
    batch = next(iter(task.build().data))
    assert batch["audio"].shape == (2, 4000)


def test_a_pair_without_features_is_left_out_with_the_reason_and_the_rest_are_computed_once(pairs: Path) -> None:
    computed = []

    def compute(x: Tensor) -> Tensor:
        computed.append(x)
        if len(computed) == 1:
            raise ValueError("there is no face; give another picture")
        if len(computed) == 2:
            return torch.full((1, 2), math.nan)
        return of_means(x)

    faces = Extractor(name="faces of a test", layers=1, size=2, compute=compute)
    own = config(pairs, validation_size=0.4)
    paired = Paired(own)
    paired.__dict__["extractors"] = Extractors(pictures=faces)
    (first, second) = paired.odd()
    assert first == "p00/0: no features: 0.png: there is no face; give another picture"
    assert second == "p00/1: no features: 1.png: faces gives features that are not finite; replace it"
    assert len(paired.examined().kept) == 10
    batch = next(iter(paired.stream(FitConfig(batch_size=2))))
    assert batch["image"].shape == (2, 1, 2)
    again = Paired(own)
    again.__dict__["extractors"] = Extractors(pictures=replace(faces, compute=of_means))
    again.examined()
    assert len(computed) == 12
    assert len(again.examined().kept) == 12  # what failed is tried again


def test_features_of_cuts_of_another_length_are_others(pairs: Path) -> None:
    voices = Extractor(name="voices of a test", layers=1, size=2, compute=of_means)
    found = []
    for seconds in (0.25, 0.5):
        paired = Paired(config(pairs, seconds=seconds, validation_size=0.4))
        paired.__dict__["extractors"] = Extractors(voices=voices)
        found.append(paired.instead.sounds)
    short, long = found
    assert short.keys() == long.keys()
    assert not any(torch.equal(short[key], long[key]) for key in short)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"validation_size": 0.1}, "validation_size: fewer than 2 identities to measure on; raise it"),
        ({"test_size": 0.5, "validation_size": 0.5}, "6 identities, of which 6 were to be set aside; give more"),
        ({"layout": "banana"}, "layout: there is no 'banana'; known: folders, voxceleb"),
        ({"image_folder": "", "audio_folder": ""}, "pairs: none given; give pairs, or image_folder and audio_folder"),
        ({"image_folder": "nowhere"}, "nowhere: no such folder"),
    ],
)
def test_too_little_is_refused(pairs: Path, settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        _ = Paired(config(pairs, **settings)).parts


def test_nobody_who_is_measured_was_trained_on(colours: Path) -> None:
    found = Paired(config(colours)).parts
    persons = {name: {one.pair.identity for one in part} for name, part in found.named().items()}
    assert not persons["train"] & (persons["validation"] | persons["unseen"])
    assert persons["seen"] <= persons["train"]
    assert sum(map(len, found.named().values())) == 72
    seen = Paired(config(colours, seen_validation=True)).parts
    assert {one.pair.identity for one in seen.validation} <= {one.pair.identity for one in seen.train}


def test_a_run_is_not_gone_on_with_where_somebody_set_aside_would_be_trained_on() -> None:
    def parts(train: str, aside: str) -> Parts:
        made = {name: small_pairs.pair(name, f"sound {name}", f"picture {name}") for name in "abcd"}
        return Parts(
            train=tuple(made[one] for one in train), validation=tuple(made[one] for one in aside), seen=(), unseen=()
        )

    state = Apart.of(parts("ab", "cd")).state_dict()
    Apart.of(parts("ab", "cd")).load_state_dict(state)
    Apart.of(parts("a", "bcd")).load_state_dict(state)
    with pytest.raises(ValueError, match="1 recordings that the run has set aside would be trained on"):
        Apart.of(parts("abc", "d")).load_state_dict(state)
