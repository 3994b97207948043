from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from rerail.cli import main
from rerail.data import demo
from rerail.doctor import disk, learning, machine
from rerail.doctor.check import found
from rerail.tasks.tacotron2.demo import corrupt

TINY = ["--size", "tiny", "--batch-size", "4", "--held-out", "2", "--reduction", "5"]


@pytest.fixture(autouse=True)
def _any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests run on may have faults of its own, which are not asked about here."""
    monkeypatch.setattr(machine, "open_files", lambda _: found("open files", "plenty"))
    monkeypatch.setattr(machine, "shared_memory", lambda _: found("shared memory", "plenty"))
    monkeypatch.setattr(machine, "threads", lambda *_: found("threads", "few"))
    monkeypatch.setattr(disk, "space", lambda _: found("disk space", "plenty"))
    monkeypatch.setattr(disk, "speed", lambda _: found("disk speed", "fast"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    shutil.copytree(demo.folder(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lines = (folder / "metadata.csv").read_text().splitlines()[:8]
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


def doctor(corpus: Path, *more: str) -> int:
    torch.set_num_threads(1)
    cache = str(corpus.parent / "features")
    return main(["doctor", "--task", "tacotron2", "--data", str(corpus), "--cache", cache, *TINY, *more])


def test_the_machine_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--run", str(tmp_path / "runs")]) == 0
    out = capsys.readouterr().out
    assert "versions" in out
    assert "disk space" in out
    assert "the batch" not in out
    assert "0 failed" in out
    assert not (tmp_path / "runs").exists()


def test_a_sound_trainer(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "STEPS", 10)  # as many on a busy machine as on an idle one
    monkeypatch.setattr(learning, "SWEEP", 10)
    assert doctor(corpus, "--lr", "6e-3", "--seconds", "120", "--run", str(tmp_path / "runs")) == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert "one batch by heart" in out
    assert "in 10 steps the loss falls by" in out
    assert not (tmp_path / "runs").exists()


def test_a_corrupt_recording_fails(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corrupt(corpus, held_out=2)
    assert doctor(corpus, "--batch-size", "6", "--seconds", "0") == 1
    out = capsys.readouterr().out
    assert "not finite: mel" in out
    assert "do: mend or leave out these samples" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "bert"], "task"),
        (["--batch-size", "-2"], "batch_size: got -2; give at least 0"),
        (["--task", "tacotron2", "--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "Exit code 1 where a check fails" in " ".join(out.split())
    assert "--seconds" in out
