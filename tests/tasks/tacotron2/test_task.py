from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import small_corpora
from rerail.data import demo, ljspeech
from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tell import journal
from rerail.text.symbols import Symbols


def symbols(folder: Path, text: str, named: str, **settings: object) -> Symbols:
    clips = small_corpora.lj(folder, 1, language=named)
    ljspeech.write(folder / "metadata.csv", [replace(clips[0], text=text)])
    config = Tacotron2Config(data=str(folder), **settings)  # type: ignore[arg-type]
    return Tacotron2Task(config, FitConfig()).corpus.symbols


def test_stress_marks_are_symbols_only_where_asked_for(tmp_path: Path) -> None:
    assert "+" not in symbols(tmp_path, "вол+ос", "ru").table  # noqa: RUF001 - Russian is the point
    assert "+" in symbols(tmp_path, "вол+ос", "ru", stress=True).table  # noqa: RUF001


def test_numbers_are_spelled_in_the_language_that_the_data_names(tmp_path: Path) -> None:
    assert set("один") <= set(symbols(tmp_path, "1", "ru").table)
    assert set("eins") <= set(symbols(tmp_path, "1", "ru", language="de").table)
    assert "1" in symbols(tmp_path, "1", "").table


def demo_task(folder: Path, fit: FitConfig, **settings: object) -> Tacotron2Task:
    chosen = {"size": "tiny", "data": str(demo.folder()), "cache": str(folder / "cache"), "held_out": 2, **settings}
    return Tacotron2Task(Tacotron2Config(**chosen), fit)  # type: ignore[arg-type]


def test_the_text_is_read_out_of_the_decoder_where_that_is_asked_for(tmp_path: Path) -> None:
    fit = FitConfig(steps=4, batch_size=4, evaluate_every=10)
    task = demo_task(tmp_path, fit, weight_mmi=1.0)
    assert train(task, fit, run=tmp_path / "run").reason == "finished"
    readings = [one["values"] for one in journal.read(tmp_path / "run") if one["kind"] == "reading"]
    assert all(one["loss/mmi"] > 0 for one in readings[:4])
    assert all(0 < one["signal/mmi_factor"] <= 5.0 for one in readings[:4])
    assert not any("recogniser" in name for name, _ in demo_task(tmp_path, fit).build().model.named_parameters())


def test_frames_that_are_fed_back_are_blanked_in_training_alone(tmp_path: Path) -> None:
    parts = demo_task(tmp_path, FitConfig(batch_size=4), frame_drop=1.0).build()
    batch = next(iter(parts.data))
    louder = {**batch, "mel": batch["mel"] + 1.0}
    lengths = batch["text"], batch["text_length"]

    def outputs(one: dict[str, object]) -> torch.Tensor:
        torch.manual_seed(0)
        gate: torch.Tensor = parts.model(*lengths, one["mel"], one["mel_length"]).gate_logits
        return gate

    assert torch.equal(outputs(batch), outputs(louder))  # nothing of the true frames is heard
    parts.model.eval()
    assert not torch.equal(outputs(batch), outputs(louder))


def test_a_list_of_clips_to_measure_on_is_kept_out_of_training(tmp_path: Path) -> None:
    clips = ljspeech.read(demo.folder())
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "wavs").symlink_to(demo.folder() / "wavs")
    ljspeech.write(folder / "train.csv", clips[:8])
    ljspeech.write(folder / "validation.csv", clips[8:])
    tables = {"data": str(folder / "train.csv"), "validation": str(folder / "validation.csv")}
    parts = demo_task(tmp_path, FitConfig(batch_size=4), **tables).build()
    assert [one["id"] for one in parts.held_out] == [[one.id for one in clips[8:10]]]
    assert {one["id"] for one in parts.data.examples} == {one.id for one in clips[:8]}  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="1 clips or their texts are in data too"):
        ljspeech.write(folder / "validation.csv", clips[7:])
        demo_task(tmp_path, FitConfig(batch_size=4), **tables).build()


def test_clips_that_are_too_long_are_not_trained_on(tmp_path: Path) -> None:
    whole = demo_task(tmp_path, FitConfig(batch_size=4)).build().data.examples  # type: ignore[attr-defined]
    short = demo_task(tmp_path, FitConfig(batch_size=4), longest=2.5).build().data.examples  # type: ignore[attr-defined]
    assert [one["id"] for one in short] == [one["id"] for one in whole if len(one["mel"]) * 256 / 16000 <= 2.5]
    assert 0 < len(short) < len(whole)
    with pytest.raises(ValueError, match="longest: 0 of"):
        demo_task(tmp_path, FitConfig(batch_size=4), longest=0.1).build()


def test_critical_mode_raises_the_weight_of_guided_attention_and_the_journal_tells(tmp_path: Path) -> None:
    fit = FitConfig(steps=9, batch_size=4, evaluate_every=3, lr=1e-5)
    train(demo_task(tmp_path, fit), fit, run=tmp_path / "run")
    records = list(journal.read(tmp_path / "run"))
    raised = [one["values"].get("knob/loss/attention", 1.0) for one in records if one["kind"] == "reading"]
    assert raised[:9] == [*4 * [1.0], *3 * [3.0], *2 * [10.0]]  # measured after steps 3 and 6
    remedies = [(one["code"], one["move"]) for one in records if one["kind"] == "remedy"]
    assert remedies == 3 * [("alignment.guide", "COMMIT")]
    assert not any(one["kind"] in ("trial", "cause") for one in records)  # nothing failed, so nothing is replayed
    left = FitConfig(steps=9, batch_size=4, evaluate_every=3, lr=1e-5)
    train(demo_task(tmp_path, left, guide_moves=False), left, run=tmp_path / "left")
    assert not any(one["kind"] == "remedy" for one in journal.read(tmp_path / "left"))


def test_a_rate_of_zero_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lr: 0 stands for the rate of the network's size"):
        demo_task(tmp_path, FitConfig(lr=0.0)).checked()
    looked: list[int] = []
    with pytest.raises(ValueError, match="lr"):
        demo_task(tmp_path, FitConfig(lr=0.0)).odd(lambda _, done, __: looked.append(done))
    assert not looked
