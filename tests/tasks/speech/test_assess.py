from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

import small_tacotron2
from rerail.audio.mel import MelSpec
from rerail.audio.vocoder import vocoder
from rerail.data import demo, ljspeech
from rerail.fit import FitConfig
from rerail.tasks.speech.assess import assess, held_out
from rerail.tasks.speech.evaluate import evaluate
from rerail.tasks.speech.listening import Panel
from rerail.tasks.speech.trained import Trained
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tasks.tacotron2.trained import load
from rerail.tell import journal

NOBODY = Panel(vocoder=vocoder("griffin-lim", MelSpec()))


@pytest.fixture
def trained(trained_run: Path) -> Trained:
    return load(trained_run)


def test_a_run_is_measured_on_what_it_set_aside_and_gets_the_numbers_of_its_training(trained: Trained) -> None:
    on = held_out(trained)
    (own,) = Tacotron2Task(trained.config, FitConfig(batch_size=4)).build().held_out
    assert [clip.id for clip in on.clips] == own["id"]
    scores = assess(trained, on, NOBODY).scores
    run = trained.source.parent.parent
    (last,) = (one["values"] for one in journal.read(run) if "eval/quality" in one.get("values", {}))
    assert {name: last[f"eval/{name}"] for name in scores} == pytest.approx(dict(scores))


def test_each_clip_has_scores_of_its_own_and_they_make_up_the_whole(trained: Trained) -> None:
    assessed = assess(trained, held_out(trained), NOBODY)
    assert len(assessed.clips) == 2
    for name in ("mel", "mel/free", "mcd/free", "diagonality/free", "gate_accuracy/free"):
        each = [one.scores[name] for one in assessed.clips]
        assert sum(each) / len(each) == pytest.approx(assessed.scores[name])
    assert assessed.clips[0].text
    assert not assessed.clips[0].heard


def test_other_clips_are_measured_in_several_batches(trained: Trained, tmp_path: Path) -> None:
    corpus = small_tacotron2.corpus(tmp_path / "corpus")
    lines = [f"{clip.id}|please" for clip in ljspeech.read(demo.folder())[:18]]
    (corpus / "metadata.csv").write_text("\n".join(lines))
    on = held_out(trained, data=str(corpus), cache=str(tmp_path))
    assert [len(one["id"]) for one in on.batches] == [16, 2]
    few = held_out(trained, data=trained.config.data)
    assert assess(trained, few, NOBODY).scores == evaluate(trained.model, few.batches)


def test_what_cannot_be_measured_on_is_named(trained: Trained, tmp_path: Path) -> None:
    corpus = small_tacotron2.corpus(tmp_path / "corpus")
    clips = ljspeech.read(corpus)
    lines = (corpus / "metadata.csv").read_text().splitlines()
    lines[1] = f"{clips[1].id}|\u044f"
    (corpus / "metadata.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"cannot read: 1 problem\(s\)\n  {clips[1].id}: .*unknown symbols"):
        held_out(trained, data=str(corpus))
    (corpus / "wavs").unlink()
    (corpus / "wavs").mkdir()
    for clip in clips:
        shutil.copy(
            clip.path.resolve() if clip.path.exists() else demo.folder() / "wavs" / clip.path.name, corpus / "wavs"
        )
    (corpus / "metadata.csv").write_text("\n".join([lines[0], *lines[2:]]))
    (corpus / "wavs" / f"{clips[2].id}.flac").unlink()
    soundfile.write(corpus / "wavs" / f"{clips[2].id}.wav", torch.full((16000,), torch.nan), 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=f"held-out clips(.|\n)*{clips[2].id}: "):
        held_out(trained, data=str(corpus), cache=str(tmp_path / "cache"))


def test_data_that_are_not_here_are_asked_for(trained: Trained) -> None:
    for data in ("nowhere", ""):
        gone = replace(trained, config=replace(trained.config, data=data))
        with pytest.raises(ValueError, match="its data are not here"):
            held_out(gone)
