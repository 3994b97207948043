"""rerail train xtts: what stands above what, and how a run goes on, on real clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import small_corpora
from rerail.act.disk import _locked
from rerail.audio import files
from rerail.cli import main
from rerail.tell import journal

TINY = ["--model-size", "tiny", "--held-out", "2", "--threads", "1", "--snapshot_every", "50"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    small_corpora.lj(folder, 10)
    return folder


def train(corpus: Path, run: Path, *more: str) -> int:
    places = ["--train-data", str(corpus), "--checkpoint-dir", str(run), "--cache", str(corpus / "features")]
    return main(["train", "xtts", *places, *TINY, *more])


def settings(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((run / "config.yaml").read_text())
    return found


def test_what_is_typed_stands_above_the_file_and_the_file_above_the_level(corpus: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("optimization_level: basic\nweight_kl: 0.7\nsteps: 2\nbatch_size: 4\naccumulate: 1\n")
    assert train(corpus, tmp_path / "run", "--config", str(own), "--weight-stop", "3") == 0
    found = settings(tmp_path / "run")
    assert (found["weight_stop"], found["weight_kl"], found["weight_attention"]) == (3.0, 0.7, 0.3)
    assert (found["lr"], found["schedule"], found["huber"]) == (1e-5, "noam", 0.0)  # the level of the file
    assert (found["steps"], found["batch_size"], found["epochs"]) == (2, 4, 0)


def test_fast_convergence_stands_above_a_level_and_takes_what_clips_there_are(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(corpus, tmp_path / "run", "--apply_fast_convergence", "--steps", "2") == 0
    found = settings(tmp_path / "run")
    assert (found["weight_mel"], found["weight_stop"], found["accumulate"]) == (22.0, 1.5, 2)
    assert found["batch_size"] == 8
    told = capsys.readouterr().out
    assert "batch_size: 48 cannot be filled; 8, all that there are, make a batch" in told
    assert "warmup: 200 steps are more than the run's 2" in told


def test_a_resumed_run_keeps_batches_that_the_machine_has_chosen(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train(corpus, run, "--steps", "2") == 0
    assert settings(run)["batch_size"] == 8  # of ten clips two are held out
    assert main(["train", "xtts", "--resume", "--run", str(run), "--steps", "3"]) == 0
    (checkpoint,) = (run / "checkpoints").glob("step-00000003")
    assert main(["train", "xtts", "--resume-from", str(checkpoint), "--run", str(tmp_path / "on"), "--steps", "4"]) == 0
    capsys.readouterr()
    assert main(["train", "xtts", "--resume", "--run", str(run), "--optimization-level", "basic"]) == 2
    assert "--optimization-level: a resumed run keeps the settings that it began with" in capsys.readouterr().err


def test_beginning_anew_keeps_the_run_that_was_there_unless_it_is_alive(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train(corpus, run, "--steps", "1", "--batch-size", "4") == 0
    assert train(corpus, run, "--steps", "1", "--batch-size", "4") == 2
    assert train(corpus, run, "--steps", "2", "--batch-size", "4", "--reset-training") == 0
    assert settings(tmp_path / "run-before")["steps"] == 1
    assert settings(run)["steps"] == 2
    capsys.readouterr()
    assert train(corpus, run, "--reset-training", "--resume") == 2
    lock = _locked(run)
    assert lock.is_locked
    lock.release()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--optimization-level", "banana"], "--optimization-level: there is no 'banana'; known: basic, enhanced"),
        (["--optimization-level", "fast-convergence"], "there is no 'fast-convergence'"),
        (["--steps", "2", "--epochs", "3"], "--steps, --epochs: two ways to say how long to train"),
        (["--weight-kl", "-1", "--kl-capacity", "-2"], "2 setting(s) out of range"),
        (["--weight-banana", "1"], "weight-banana"),
        (["--batch", "4"], "--batch: write it in full (--batch-size)"),
    ],
)
def test_what_is_impossible_is_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    assert train(corpus, tmp_path / "run", *more) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_all_settings_of_a_level_are_written_with_a_comment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "xtts", "--level", "plateau-breaker", "--gpu-memory", "8"]) == 0
    text = capsys.readouterr().out
    found = yaml.safe_load(text)
    assert (found["lr"], found["clip_norm"], found["batch_size"], found["accumulate"]) == (1.5e-5, 0.3, 16, 2)
    assert all("  # " in line for line in text.splitlines() if line and not line.startswith("#"))
    assert main(["config", "xtts", "--gpu-memory", "-1"]) == 2


def test_a_network_speaks_and_is_measured_in_the_language_it_was_trained_in(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, voice = tmp_path / "run", str(next((corpus / "wavs").glob("*.wav")))
    assert train(corpus, run, "--steps", "1", "--batch-size", "4", "--language", "en") == 0
    said = ["synthesize", str(run), "hold the line", "--out", str(tmp_path / "out"), "--max-seconds", "0.5"]
    assert main([*said, "--voice", voice]) == 0
    assert len(list((tmp_path / "out").glob("*.wav"))) == 1
    assert main(said) == 2
    assert main([*said, "--voice", voice, "--language", "fr"]) == 2
    error = capsys.readouterr().err
    assert "--voice: this network speaks in the voice of a recording" in error
    assert "language: the model knows en, got 'fr'" in error
    assert main(["evaluate", "xtts", str(run)]) == 0


def test_a_new_run_says_what_is_odd_about_its_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus"
    small_corpora.lj(corpus, 10)
    path = min((corpus / "wavs").iterdir())
    path.unlink()
    files.write(path.with_suffix(".wav"), torch.zeros(16000), 16000)
    few = ["--steps", "1", "--batch-size", "4"]
    assert train(corpus, tmp_path / "run", *few) == 0
    assert f"data: {path.stem}: silent (peak 0.0e+00)" in capsys.readouterr().out
    (note,) = (one for one in journal.read(tmp_path / "run") if "odd" in one.get("data", {}))
    assert note["text"] == "1 oddities of the data"
    assert train(corpus, tmp_path / "unchecked", "--no-check", *few) == 0
    assert "data:" not in capsys.readouterr().out
