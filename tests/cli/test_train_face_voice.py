"""rerail train face-voice: its flags and presets, how a run goes on, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import small_pairs
from rerail.cli import main
from rerail.tell import journal

TINY = ["--image-size", "16", "--audio-duration-sec", "0.25", "--embedding-dim", "8", "--threads", "1"]
SHARES = ["--validation-size", "0.4", "--test-size", "0.2", "--seen-size", "0"]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    small_pairs.learnable(folder, 5, 3)  # one is set aside for good, two are measured, two are trained on
    return folder


def train(pairs: Path, run: Path, *more: str) -> int:
    places = ["--image-folder", str(pairs / "pictures"), "--audio-folder", str(pairs / "sounds")]
    kept = ["--save-dir", str(run), "--cache", str(pairs / "cache"), "--snapshot-every", "50"]
    return main(["train", "face-voice", *places, *kept, *TINY, *SHARES, *more])


def settings(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((run / "config.yaml").read_text())
    return found


def weights(run: Path, step: int) -> dict[str, torch.Tensor]:
    return dict(torch.load(run / f"checkpoints/step-{step:08}/state.pt", weights_only=True)["model"])


def measured(run: Path) -> list[dict[str, float]]:
    seen = [one["values"] for one in journal.read(run) if one["kind"] == "reading"]
    return [{name: one[name] for name in one if name.startswith("eval/")} for one in seen if "eval/rank" in one]


@pytest.fixture(scope="module")
def run(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four epochs of one step each."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert train(few, folder, "--num-epochs", "4", "--batch-size", "4") == 0
    return folder


def test_every_flag_has_the_name_that_people_know_it_by_and_underscores_do(few: Path, tmp_path: Path) -> None:
    places = [
        f"--image_folder={few / 'pictures'}",
        f"--audio_folder={few / 'sounds'}",
        "--save_dir",
        str(tmp_path / "r"),
    ]
    flags = {
        "embedding_dim": ("width", 8),
        "temperature": ("temperature", 0.2),
        "batch_size": ("batch_size", 3),
        "num_epochs": ("epochs", 1),
        "learning_rate": ("lr", 0.002),
        "weight_decay": ("weight_decay", 0.01),
        "grad_clip_norm": ("clip_norm", 0.5),
        "audio_duration_sec": ("seconds", 0.25),
        "test_size": ("test_size", 0.2),
        "random_state": ("seed", 7),
        "image_size": ("image_size", 16),
        "validation_size": ("validation_size", 0.4),
        "threads": ("threads", 1),
        "cache": ("cache", str(few / "cache")),
    }
    places += ["--save_dir", str(tmp_path / "r")]
    typed = [word for flag, (_, value) in flags.items() for word in (f"--{flag}", str(value))]
    assert main(["train", "face-voice", *places, *typed]) == 0
    found = settings(tmp_path / "r")
    assert {name: found[name] for name, _ in flags.values()} == dict(flags.values())


def test_the_settings_that_are_usual_stand_below_what_is_typed(run: Path) -> None:
    found = settings(run)
    assert (found["lr"], found["weight_decay"], found["clip_norm"], found["schedule"]) == (1e-4, 1e-5, 0.1, "constant")
    assert (found["plateau_patience"], found["plateau_factor"], found["temperature"]) == (3, 0.3, 0.1)
    assert (found["batch_size"], found["epochs"], found["steps"]) == (4, 4, 4)


def test_its_own_plan_decides_over_its_journal_as_it_did(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = ["--plateau-patience", "1", "--evaluate-every", "2", "--steps", "9", "--batch-size", "4"]
    assert train(few, tmp_path / "run", *cut) == 0
    assert any(one["kind"] == "advice" and one["code"] == "rate.lowered" for one in journal.read(tmp_path / "run"))
    assert main(["replay", str(tmp_path / "run")]) == 0
    assert "The plan decides as the run did" in capsys.readouterr().out


def test_epochs_that_are_typed_stand_above_steps_of_a_file(few: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("steps: 9\nbatch_size: 6\n")
    assert train(few, tmp_path / "run", "--config", str(tmp_path / "own.yaml"), "--num-epochs", "1") == 0
    assert (settings(tmp_path / "run")["epochs"], settings(tmp_path / "run")["steps"]) == (1, 1)


@pytest.mark.parametrize(
    ("level", "expected"), [("usual", (1e-4, 1e-5, 0.1)), ("bolder", (5e-4, 1e-4, 1.0)), ("safest", (5e-5, 1e-5, 0.1))]
)
def test_presets_are_written_with_a_comment_a_setting(
    capsys: pytest.CaptureFixture[str], level: str, expected: tuple[float, float, float]
) -> None:
    assert main(["config", "face-voice", "--level", level]) == 0
    text = capsys.readouterr().out
    found = yaml.safe_load(text)
    assert (found["lr"], found["weight_decay"], found["clip_norm"]) == expected
    assert (found["width"], found["epochs"], found["seconds"], found["sample_rate"]) == (512, 300, 3.0, 16000)
    assert (found["batch_size"], found["test_size"]) == (8, 0.15)
    assert all("  # " in line for line in text.splitlines() if line and not line.startswith("#"))


def test_epochs_with_a_resume_between_them_give_what_they_give_without(few: Path, run: Path, tmp_path: Path) -> None:
    parts = tmp_path / "run"
    assert train(few, parts, "--num-epochs", "2", "--batch-size", "4") == 0
    assert main(["train", "face-voice", "--resume", "--save_dir", str(parts), "--num_epochs", "4"]) == 0
    whole, resumed = weights(run, 4), weights(parts, 4)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert measured(parts)[-1] == measured(run)[-1]


def test_what_is_odd_is_said_and_the_rest_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_pairs.learnable(tmp_path, 5, 3)
    small_pairs.recording(tmp_path / "sounds/p00/1.wav", loud=0.0)
    assert train(tmp_path, tmp_path / "run", "--steps", "1", "--batch-size", "3") == 0
    assert "data: p00/1: silent: 1.wav: silent (peak 0.0e+00); record it again" in capsys.readouterr().out
    (note,) = (one for one in journal.read(tmp_path / "run") if "odd" in one.get("data", {}))
    assert note["text"] == "1 oddities of the data"


def test_a_batch_is_as_large_as_the_machine_holds(few: Path, tmp_path: Path) -> None:
    assert train(few, tmp_path / "run", "--find-batch", "true", "--steps", "1", "--batch-size", "0") == 0
    assert 1 <= settings(tmp_path / "run")["batch_size"] <= 6


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--preset", "banana"], "--preset: there is no 'banana'; known: bolder, safest, usual"),
        (["--pairs", "list.csv"], "pairs: given beside image_folder or audio_folder; give a list, or two folders"),
        (["--freeze", "true"], "freeze: the small encoders know nothing before they are trained"),
        (["--temperature", "3"], "temperature: got 3.0; give at most 2.0"),
        (["--steps", "2", "--num-epochs", "3"], "--steps, --num-epochs: two ways to say how long"),
        (["--image-folder", "nowhere"], "nowhere: no such folder"),
        (["--validation-size", "0.1"], "validation_size: fewer than 2 identities to measure on"),
        (["--speak", '["hello"]'], "speak"),
        (["--image-encoder", "no/such/folder", "--freeze", "true"], "no/such/folder: no model can be loaded"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of transformers, which we do not change
def test_what_is_impossible_is_refused(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    if "--image-encoder" in more:
        pytest.importorskip("transformers", reason='pip install "rerail[pretrained]"')
    assert train(few, tmp_path / "run", *more) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_keeps_its_settings(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "face-voice", "--resume", "--run", str(run), "--temperature", "0.5"]) == 2
    assert "temperature: the run has 0.1, got 0.5; leave it out, or begin anew" in capsys.readouterr().err
    assert main(["train", "face-voice", "--resume", "--run", str(run), "--preset", "bolder"]) == 2
    assert "--preset: a resumed run keeps the settings that it began with" in capsys.readouterr().err


def test_a_run_is_reported_and_explained_and_says_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    assert "cosines of 2 held-out pairs" in (run / "report.html").read_text()
    assert main(["explain", str(run)]) == 0
    assert main(["synthesize", str(run), "hello"]) == 2
    assert "a face-voice network, which says nothing; rerail match" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "face-voice", "--help"])
    assert caught.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Pairs come from a list" in out
    assert "--preset names settings to start from (bolder, safest, usual; default usual)" in out
    for flag in ("--embedding-dim", "--audio-duration-sec", "--num-epochs", "--grad-clip-norm", "--random-state"):
        assert flag in out
