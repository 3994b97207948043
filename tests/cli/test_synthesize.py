from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch

import small_tacotron2
from rerail.audio.hifi_gan import Generator
from rerail.cli import main
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2

SHORT = ["--max-seconds", "0.5", "--threshold", "1"]


@pytest.fixture
def run(trained_run: Path) -> Path:
    return trained_run


def test_each_sentence_becomes_a_sound_and_a_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("One moment.\n")
    arguments = ["synthesize", str(run), "Please hold.", "--file", str(tmp_path / "list.txt"), *SHORT]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--pictures"]) == 0
    about, first, second = capsys.readouterr().out.splitlines()
    assert "step 14" in about
    for line, name, text in ((first, "speech-1.wav", "Please hold."), (second, "speech-2.wav", "One moment.")):
        assert line.startswith(str(tmp_path / "out" / name))
        assert line.endswith(text)
        assert " s, " in line
        assert "cut off: the gate did not say stop" in line
        assert "diagonality" in line
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        *("speech-1.png", "speech-1.wav", "speech-2.png", "speech-2.wav"),
    ]
    found = soundfile.info(tmp_path / "out/speech-1.wav")
    assert found.samplerate == 16000
    assert 0 < found.duration <= 0.5


def test_the_seed_decides_and_nothing_is_overwritten(run: Path, tmp_path: Path) -> None:
    for seed in ("0", "0", "1"):
        assert main(["synthesize", str(run), "Please hold.", "--out", str(tmp_path), "--seed", seed, *SHORT]) == 0
    one, again, other = (path.read_bytes() for path in sorted(tmp_path.glob("*.wav")))
    assert one == again
    assert one != other


def test_a_published_model_speaks_through_hifi_gan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": Tacotron2(SIZES["reference"], 148, 80, 1).state_dict()}, tmp_path / "published.pt")
    torch.save({"generator": Generator().state_dict()}, tmp_path / "generator.pth")
    more = ["--symbols", "_ .adehlops", "--vocoder", "hifigan", "--hifigan", str(tmp_path / "generator.pth"), *SHORT]
    assert main(["synthesize", str(tmp_path / "published.pt"), "Please hold.", "--out", str(tmp_path), *more]) == 0
    assert "28.2 M parameters" in capsys.readouterr().out
    found = soundfile.info(tmp_path / "speech-1.wav")
    assert found.samplerate == 22050
    assert 0.4 < found.duration <= 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no sentence is given; write one in quotes after the run"),
        (["\u044f"], "unknown symbols"),
        (["Hi.", "--vocoder", "hifigan"], "sample_rate 22050 (here 16000)"),
        (["Hi.", "--hifigan", "g.pth"], "add --vocoder hifigan"),
        (["Hi.", "--vocoder", "wavenet"], "wavenet"),
        (["Hi.", "--file", "nowhere.txt"], "nowhere.txt: no such file"),
        (["Hi.", "--symbols", "abc"], "has a table of its own"),
    ],
)
def test_what_cannot_be_spoken_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["synthesize", str(run), *arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_poisoned_run_is_sent_to_recovery(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poisoned = small_tacotron2.changed(run, tmp_path / "poisoned", small_tacotron2.poison)
    assert main(["synthesize", str(poisoned), "Hi.", "--out", str(tmp_path / "out")]) == 2
    assert "run: rerail recover tacotron2 --checkpoint" in capsys.readouterr().err
    assert main(["synthesize", str(tmp_path / "nowhere"), "Hi."]) == 2
    assert "there is no such run" in capsys.readouterr().err
