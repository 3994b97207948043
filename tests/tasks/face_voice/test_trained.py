from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import small_pairs
from rerail.tasks import trained as speaking
from rerail.tasks.face_voice.standing import standing
from rerail.tasks.face_voice.trained import load
from small_matcher import FIT


def test_the_newest_checkpoint_is_taken_and_its_pairs_are_not_read(
    matching_run: Path, tmp_path: Path, colours: Path
) -> None:
    shutil.copytree(matching_run, tmp_path / "run")
    config = tmp_path / "run/config.yaml"
    config.write_text(config.read_text().replace(str(colours / "pictures"), "/nowhere"))
    found = load(tmp_path / "run")
    assert found.step == FIT.steps
    assert found.config.image_folder == "/nowhere"
    assert f"step {FIT.steps}" in found.told()
    assert not found.model.training
    with pytest.raises(ValueError, match="/nowhere: no such folder"):
        standing(found)


def test_files_are_embedded_to_length_1_whatever_their_size(matching_run: Path, tmp_path: Path) -> None:
    found = load(matching_run / f"checkpoints/step-{FIT.steps:08}")
    wide = small_pairs.picture(tmp_path / "a.png", size=(50, 9))
    short = small_pairs.recording(tmp_path / "a.wav", seconds=0.21, rate=44100, channels=2)
    for embedded in (found.picture(wide), found.voice(short)):
        assert embedded.shape == (16,)
        assert float(embedded.norm()) == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(found.voice(short), found.voice(short))


def test_files_that_are_none_are_told(matching_run: Path, tmp_path: Path) -> None:
    found = load(matching_run)
    (tmp_path / "a.png").write_bytes(b"no picture")
    small_pairs.recording(tmp_path / "a.wav", loud=0.0)
    with pytest.raises(ValueError, match=r"a\.png: cannot be decoded"):
        found.picture(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.wav: silent"):
        found.voice(tmp_path / "a.wav")
    with pytest.raises(ValueError, match=r"b\.png: no such file; give another"):
        found.picture(tmp_path / "b.png")


def test_a_cosine_stands_among_those_of_others(matching_run: Path) -> None:
    found = standing(load(matching_run))
    assert found.nearer_than_strangers(-1.1) == found.nearer_than_own(-1.1) == 0.0
    assert found.nearer_than_strangers(1.1) == found.nearer_than_own(1.1) == 1.0
    assert len(found.own) > 0
    assert len(found.others) > 0


def test_a_network_of_another_kind_is_told(trained_run: Path, matching_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keeps no aside; give a checkpoint of a matching network"):
        load(trained_run)
    with pytest.raises(ValueError, match="a face-voice network, which says nothing; rerail match"):
        speaking.load(matching_run)
    with pytest.raises(ValueError, match="there is no such run"):
        load(tmp_path / "nothing")
