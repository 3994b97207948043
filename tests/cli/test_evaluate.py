from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

import small_tacotron2
from rerail.cli import main
from rerail.data import demo
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2


@pytest.fixture
def run(trained_run: Path) -> Path:
    return trained_run


def evaluate(place: Path, *more: str) -> int:
    return main(["evaluate", "tacotron2", str(place), *more])


def clips(folder: Path, count: int) -> Path:
    """The first demo clips in a folder of their own."""
    shutil.copytree(demo.folder() / "wavs", folder / "wavs")
    lines = (demo.folder() / "metadata.csv").read_text().splitlines()
    (folder / "metadata.csv").write_text("\n".join(lines[:count]))
    return folder


def test_a_run_is_measured_on_its_held_out_clips(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(run, "--out", str(tmp_path / "scores.json")) == 0
    out = capsys.readouterr().out
    assert "checkpoints/step-00000014: step 14, unproved" in out
    assert "2 clips of" in out
    assert "\nquality, %\t" in out
    assert "\nmel-cepstral distortion, dB\t" in out
    assert "% = sound" in out
    assert "opinion" not in out
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["step"] == 14
    assert 0.0 <= written["scores"]["quality"] < 40.0  # 14 steps are no training
    assert [set(one) for one in written["clips"]] == [{"id", "text", "scores", "heard"}] * 2
    assert written["clips"][0]["scores"]["mcd/free"] > 0
    assert evaluate(run, "--out", str(tmp_path / "scores.json")) == 2
    assert "is there already; give another name" in capsys.readouterr().err


def test_the_same_clips_give_the_same_numbers_again(run: Path, tmp_path: Path) -> None:
    checkpoint = run / "checkpoints/step-00000014"
    for name, place in (("one", run), ("two", checkpoint)):
        assert evaluate(place, "--out", str(tmp_path / f"{name}.json")) == 0
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert one["scores"] == two["scores"]


def test_weights_that_are_not_finite_are_sent_to_recovery(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poisoned = small_tacotron2.changed(run, tmp_path / "poisoned", small_tacotron2.poison)
    assert evaluate(poisoned) == 2
    assert f"run: rerail recover tacotron2 --checkpoint {poisoned}" in capsys.readouterr().err


def test_listeners_that_are_not_installed_are_named_with_the_command(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, module, extra in (("--cer", "faster_whisper", "asr"), ("--mos", "distillmos", "mos")):
        monkeypatch.setitem(sys.modules, module, None)
        assert evaluate(run, flag) == 2
        assert f'run: pip install "rerail[{extra}]"' in capsys.readouterr().err


def test_a_vocoder_for_other_spectrograms_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(run, "--vocoder", "hifigan") == 2
    assert "sample_rate 22050 (here 16000)" in capsys.readouterr().err


def test_a_published_file_without_its_table_is_only_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": Tacotron2(SIZES["reference"], 148, 80, 1).state_dict()}, tmp_path / "published.pt")
    assert evaluate(tmp_path / "published.pt") == 0
    assert "its keys are those of the published network; to measure it give --symbols" in capsys.readouterr().out
    assert evaluate(tmp_path / "published.pt", "--symbols", "_ abc") == 2
    assert "its data are not here (none are named); give --data DIR" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")  # of the libraries that the listeners stand on
def test_real_listeners_find_a_recording_good(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faster_whisper", reason='no recogniser; pip install "rerail[asr]"')
    pytest.importorskip("xls_r_sqa", reason='no estimator; pip install "rerail[mos]"')
    monkeypatch.setenv("RERAIL_CACHE", str(tmp_path / "cache"))
    few = str(clips(tmp_path / "few", 1))
    more = ("--cer", "--mos", "--language", "en", "--out", str(tmp_path / "scores.json"))
    assert evaluate(run, "--data", few, "--cache", str(tmp_path / "features"), *more) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert scores["cer/recorded"] <= scores["cer/copied"] < 0.2
    assert scores["cer/free"] > 0.7
    assert scores["mos/recorded"] > scores["mos/copied"] > scores["mos/free"]


def test_other_clips_can_be_given(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = clips(tmp_path / "few", 3)
    assert evaluate(run, "--data", str(folder), "--cache", str(tmp_path / "cache")) == 0
    assert f"3 clips of {folder}" in capsys.readouterr().out
    assert (tmp_path / "cache").is_dir()
