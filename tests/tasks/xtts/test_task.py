"""The trainer on real clips: two corpora of two speakers and two languages (the demo's, told apart by name)."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rerail.audio.voiceprint import Encoder, Voiceprint
from rerail.data import demo, ljspeech
from rerail.fit import FitConfig, Result, train
from rerail.tasks.speech.assess import held_out
from rerail.tasks.speech.evaluate import evaluate
from rerail.tasks.trained import load
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask
from rerail.tell import journal

FIT = FitConfig(steps=20, batch_size=6, lr=2e-3, warmup=5, evaluate_every=10, threads=1, checkpoint_every=10)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two corpora of real clips; the second is called another speaker's, in another language."""
    folder = tmp_path_factory.mktemp("corpora")
    clips = sorted(ljspeech.read(demo.folder()), key=lambda one: one.id)
    for name, language, own in (("one", "en", clips[:14]), ("other", "en-gb", clips[14:26])):
        (folder / name).mkdir()
        (folder / name / "wavs").symlink_to(demo.folder() / "wavs")
        ljspeech.write(folder / name / "metadata.csv", [replace(c, speaker=name, language=language) for c in own])
    return folder


def config(places: Path, **settings: Any) -> XttsConfig:
    chosen = {"size": "tiny", "held_out": 4, "cache": str(places / "features"), **settings}
    return XttsConfig(data=f"{places / 'one'},{places / 'other'}", **chosen)


def trained(places: Path, run: Path, fit: FitConfig = FIT, **settings: Any) -> Result:
    own = config(places, **settings)
    return train(XttsTask(own, fit), fit, run=run, describe=asdict(own))


@pytest.fixture(scope="module")
def run(places: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert trained(places, folder).reason == "finished"
    return folder


def test_it_trains_on_several_corpora_and_gets_better(run: Path) -> None:
    seen = [one["values"] for one in journal.read(run) if one["kind"] == "reading"]
    losses = [one["loss/total"] for one in seen if "loss/total" in one]
    assert losses[-1] < 0.8 * losses[0]
    (first, *_, last) = (one for one in seen if "eval/mel" in one)
    assert last["eval/loss/mel"] < first["eval/loss/mel"]
    components = {f"eval/loss/{name}" for name in ("mel", "mel_post", "kl", "stop", "attention")}
    assert components <= set(last)
    assert all(math.isfinite(value) for value in last.values())


def test_clips_of_both_corpora_are_told_apart_by_their_folder(places: Path) -> None:
    task = XttsTask(config(places), FIT)
    assert {one.id.partition("/")[0] for one in task.corpus.clips} == {"one", "other"}
    assert task.languages.table == ("en", "en-gb")
    batch = next(iter(task.build().data))
    assert set(batch) >= {"id", "text", "mel", "language", "reference", "reference_length"}


def test_a_trained_run_is_loaded_measured_and_spoken_with(run: Path) -> None:
    network = load(run)
    on = held_out(network)
    assert len(on.clips) == 4
    last = [one["values"] for one in journal.read(run) if one["kind"] == "reading" and "eval/mel" in one["values"]][-1]
    assert evaluate(network.model, on.batches)["mel"] == pytest.approx(last["eval/mel"], rel=1e-4)
    asked = network.sentence("please hold", "en", torch.randn(50, 80))
    assert float(network.model.free(asked, 40).mel_length) <= 40


def test_averaged_weights_are_those_that_are_spoken_with(places: Path, tmp_path: Path) -> None:
    trained(places, tmp_path / "run", replace(FIT, steps=4, ema=0.9))
    saved = torch.load(tmp_path / "run/checkpoints/step-00000004/state.pt", weights_only=True)
    (average,) = (one["average"] for one in saved["others"] if "average" in one)
    weights = load(tmp_path / "run").model.state_dict()
    assert torch.equal(weights["postnet.convolutions.0.weight"], average["postnet.convolutions.0.weight"])


def test_a_voice_is_a_component_where_it_weighs_something(
    places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder().eval().requires_grad_(requires_grad=False)
    monkeypatch.setattr(Voiceprint, "load", lambda: Voiceprint(encoder))
    trained(places, tmp_path / "run", replace(FIT, steps=3), weight_speaker=0.5)
    seen = [one["values"] for one in journal.read(tmp_path / "run") if one["kind"] == "reading"]
    assert all(0.0 < one["loss/speaker"] < 1.0 for one in seen if "loss/mel" in one)
    assert "weight_speaker: 0.5" in (tmp_path / "run/config.yaml").read_text()
    saved = torch.load(tmp_path / "run/checkpoints/step-00000003/state.pt", weights_only=True)
    assert not [name for name in saved["model"] if "lstm" in name]  # the encoder is no part of the network


def test_a_run_on_fewer_languages_is_not_gone_on_with(places: Path, run: Path, tmp_path: Path) -> None:
    own = replace(config(places), data=str(places / "one"))
    checkpoint = max((run / "checkpoints").glob("step-*"))
    with pytest.raises(ValueError, match=r"size mismatch for text\.language\.weight"):
        train(XttsTask(own, FIT), FIT, run=tmp_path / "run", resume=checkpoint)


def test_steps_follow_from_epochs_and_batches_from_memory(places: Path) -> None:
    task = XttsTask(config(places, epochs=3, balance=0.0), replace(FIT, accumulate=2, batch_size=0))
    fit = task.fitted().fit
    assert task.fitted().corpus is task.corpus  # recordings are read once
    clips = len(task.corpus.apart()[0])
    assert fit.batch_size == min(32, clips)
    assert fit.steps == max(1, 3 * (clips // fit.batch_size) // 2)
    assert XttsTask(config(places), FIT).fitted().fit == FIT
    assert XttsTask(config(places), replace(FIT, batch_size=500)).fitted().fit.batch_size == clips
