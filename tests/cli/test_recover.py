from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

import wreckage
from rerail.cli import main
from rerail.data import demo
from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

FIT = FitConfig(
    steps=14, batch_size=4, checkpoint_every=2, snapshot_every=1, evaluate_every=50, log_every=100, threads=1
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    where = {"data": str(demo.folder()), "cache": str(folder / "cache")}
    config = Tacotron2Config(**where, size="tiny", reduction=8, longest=2.0, held_out=2)  # type: ignore[arg-type]
    train(Tacotron2Task(config, FIT), FIT, run=folder / "run", describe=asdict(config))
    return folder / "run"


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained, tmp_path / "runs/first")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def recover(*more: str) -> int:
    return main(["recover", "tacotron2", "--trial", "2", *more])


def test_without_arguments_the_newest_run_is_put_back(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = wreckage.checkpoints(runs / "first")[-1]
    wreckage.rewrite(newest, wreckage.weights_nan)
    assert recover("--notify", "--steps", "16") == 0
    out = capsys.readouterr().out
    assert "looking at runs/first" in out
    assert "wrong: weights that are not finite" in out
    assert out.index("what will change:") < out.index("finished")
    assert "next stage, diagonality/free >= 0.1: no forecast, since" in out
    new = runs / "first-recovered"
    assert (new / "report.html").is_file()
    assert (new / "checkpoints/step-00000016").is_dir()
    assert "Recovered from runs/first/checkpoints/" in (new / "run.log").read_text()
    assert yaml.safe_load((new / "config.yaml").read_text())["steps"] == 16


def test_a_dry_run_says_all_and_writes_nothing(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    assert recover("--dry-run", "--run", "runs/first") == 0
    out = capsys.readouterr().out
    assert "chosen: own settings from step 14" in out
    assert "nothing is left to train; --steps N trains on" in out
    assert "1-2 h" in out
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == before


def test_what_cannot_be_recovered_ends_with_a_reason(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recover("--run", "runs/second") == 2
    assert "has no checkpoints to recover from" in capsys.readouterr().err
    for path in wreckage.checkpoints(runs / "first"):
        wreckage.cut_short(path)
    assert recover() == 2
    assert "no checkpoint can be read" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["recover"], ["recover", "tacotron2"]])
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "salvaged" in capsys.readouterr().out


def test_the_preset_stands_before_what_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text("clip_norm: 0.5\n")
    mine = ["--config", str(tmp_path / "mine.yaml"), "--lr", "2e-6"]
    with pytest.raises(SystemExit):
        main(["train", "tacotron2", *mine, "--preset", "ultra-safe", "--print_config"])
    settings = yaml.safe_load(capsys.readouterr().out)
    kept = {name: settings[name] for name in ("batch_size", "weight_attention", "guide_moves", "clip_norm", "lr")}
    assert kept == {"batch_size": 2, "weight_attention": 50.0, "guide_moves": False, "clip_norm": 0.5, "lr": 2e-6}
    assert main(["train", "tacotron2", "--preset=banana"]) == 2
    assert "--preset: there is no 'banana'; known: ultra-safe" in capsys.readouterr().err
