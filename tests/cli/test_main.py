from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch

from rerail.cli import main
from rerail.data import demo, ljspeech
from rerail.data.split import split

TINY = ["--size", "tiny", "--steps", "2", "--batch-size", "4", "--held-out", "2", "--evaluate-every", "50"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    shutil.copytree(demo.folder(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lines = (folder / "metadata.csv").read_text().splitlines()[:16]
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


def train(corpus: Path, run: Path, *more: str) -> int:
    return main(
        ["train", "tacotron2", "--data", str(corpus), "--cache", str(run.parent / "f"), "--run", str(run), *TINY, *more]
    )


def test_a_short_run_from_the_command_line(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert train(corpus, run, "--speak", '["please hold"]') == 0
    assert "finished" in capsys.readouterr().out
    assert (run / "report.html").stat().st_size > 10_000
    assert "Run finished, at step 2." in (run / "run.log").read_text()
    (wav,) = (run / "artifacts").glob("speech-1-*.wav")
    assert soundfile.info(wav).samplerate == 16000
    assert main(["report", str(run)]) == 0


def test_it_resumes_to_the_same_weights(corpus: Path, tmp_path: Path) -> None:
    def weights(run: Path) -> dict[str, torch.Tensor]:
        return dict(torch.load(run / "checkpoints/step-00000006/state.pt", weights_only=True)["model"])

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(corpus, whole, "--steps", "6") == 0
    config = ["--config", str(tmp_path / "c.yaml")]
    (tmp_path / "c.yaml").write_text("steps: 6\n")
    assert train(corpus, parts, "--steps", "6", "--checkpoint-every", "3", "--snapshot-every", "1") == 0
    assert (parts / "checkpoints/step-00000006").exists()
    assert all(torch.equal(a, b) for a, b in zip(weights(whole).values(), weights(parts).values(), strict=True))
    assert train(corpus, parts, *config) == 2  # a run folder is never overwritten


def break_nothing(corpus: Path) -> None:
    assert corpus.exists()


def no_metadata(corpus: Path) -> None:
    (corpus / "metadata.csv").unlink()


def wrong_columns(corpus: Path) -> None:
    path = corpus / "metadata.csv"
    path.write_text(path.read_text().replace("|", "|x|y|", 1))


def missing_wav(corpus: Path) -> None:
    next((corpus / "wavs").glob("agent-pass.flac")).unlink()


def empty_wav(corpus: Path) -> None:
    (corpus / "wavs/agent-pass.flac").write_bytes(b"")


def no_samples(corpus: Path) -> None:
    (corpus / "wavs/agent-pass.flac").unlink()
    soundfile.write(corpus / "wavs/agent-pass.wav", [], 16000)


def wrong_rate(corpus: Path) -> None:
    (corpus / "wavs/agent-pass.flac").unlink()
    soundfile.write(corpus / "wavs/agent-pass.wav", [0.1] * 9000, 8000)


BAD_DATA: list[tuple[Callable[[Path], None], str]] = [
    (no_metadata, "metadata.csv: no such file; give a folder in LJSpeech layout"),
    (wrong_columns, "line 1: 4 column(s), expected id|text or id|text|normalised text; mend the line"),
    (missing_wav, "agent-pass"),
    (empty_wav, "is empty (0 bytes); restore it or remove the line"),
    (no_samples, "holds no samples; remove the clip or record it again"),
    (wrong_rate, "sampled at 8000 Hz, expected 16000; resample it, or set sample_rate"),
]


@pytest.mark.parametrize(("breaking", "message"), BAD_DATA, ids=[one[0].__name__ for one in BAD_DATA])
def test_bad_data_gives_one_clear_error_and_exit_code_2(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], breaking: Callable[[Path], None], message: str
) -> None:
    breaking(corpus)
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    assert train(corpus, tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert error.startswith("rerail: ")
    assert message in error
    assert "Traceback" not in error
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "run/journal.jsonl").exists()


def test_all_config_errors_come_at_once(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("lr: fast\nbatch_sise: 4\nbanana: 1\nsize: huge\nsteps: 5\n")
    assert train(corpus, tmp_path / "run", "--config", str(config)) == 2
    error = capsys.readouterr().err
    assert "4 problem(s)" in error
    assert "unknown setting 'batch_sise'; did you mean 'batch_size'?" in error
    assert "unknown setting 'banana'; known: " in error
    assert "Got value: fast" in error
    assert "Got value: huge" in error


def test_values_out_of_range_come_at_once(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(corpus, tmp_path / "run", "--lr", "-1", "--batch-size", "-2") == 2
    error = capsys.readouterr().err
    assert "lr: got -1.0; give at least 0" in error
    assert "batch_size: got -2; give at least 0" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "fast"], "Got value: fast"),
        (["--no-such-flag", "1"], "no-such-flag"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: no such file; give a YAML file; --print_config writes a file"),
    ],
)
def test_bad_arguments(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert train(corpus, tmp_path / "run", *arguments) == 2
    assert message in capsys.readouterr().err


def test_underscores_do_for_dashes_and_a_typed_flag_beats_the_file(corpus: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("batch_size: 99\n")
    assert train(corpus, tmp_path / "run", "--config", str(config), "--batch_size", "3") == 0


def test_a_checkpoint_cut_in_half_is_refused(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert train(corpus, run) == 0
    state = run / "checkpoints/step-00000002/state.pt"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    assert train(corpus, tmp_path / "other", "--resume-from", str(state.parent)) == 2
    error = capsys.readouterr().err
    assert "was cut short" in error
    assert "use an older checkpoint" in error


def test_a_report_of_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "journal.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        *([], ["train"], ["train", "tacotron2"], ["demo"], ["check"], ["report"]),
        *(["evaluate"], ["evaluate", "tacotron2"], ["synthesize"]),
    ],
)
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200


def test_a_sentence_that_cannot_be_spoken_is_refused_before_training(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(corpus, tmp_path / "run", "--speak", '["\u044f"]') == 2
    assert "unknown symbols" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_corpus_is_looked_through(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(corpus / "wavs/agent-pass.wav", [math.nan] * 30000, 16000, subtype="FLOAT")
    assert main(["check", str(corpus)]) == 0
    out = capsys.readouterr().out
    assert "agent-pass: 30000 of 30000 samples are not finite; restore the recording" in out
    assert "16 clips, 1 warning(s)" in out


def test_a_corrupted_recording_is_found_by_its_id(corpus: Path, tmp_path: Path) -> None:
    (corpus / "wavs/agent-pass.flac").unlink()
    soundfile.write(corpus / "wavs/agent-pass.wav", [math.nan] * 30000, 16000, subtype="FLOAT")
    assert train(corpus, tmp_path / "run", "--steps", "3", "--batch-size", "12") == 0
    assert '"id": "agent-pass"' in (tmp_path / "run/quarantine.jsonl").read_text()


def test_a_resume_takes_the_runs_own_settings_and_refuses_those_that_cannot_change(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    resume = ["train", "tacotron2", "--run", str(run), "--resume"]
    assert main(resume) == 2
    assert f"--resume: there is no run in {run}" in capsys.readouterr().err
    assert train(corpus, run, "--lr", "0.01") == 0
    assert main([*resume, "--steps", "4"]) == 0  # data, size, batch size, lr: as the run began
    assert "finished" in capsys.readouterr().out
    assert main([*resume, "--lr", "0.1", "--size", "small", "--batch_size=2", "--log-every", "5"]) == 2
    error = capsys.readouterr().err
    assert "3 setting(s) that a resumed run keeps" in error
    assert "lr: the run has 0.01, got 0.1; leave it out, or begin anew" in error
    assert "size: the run has 'tiny', got 'small'" in error
    assert "batch_size: the run has 4, got 2" in error
    assert main([*resume, "--resume-from", str(run / "checkpoints/step-00000004")]) == 2
    assert "give one of the two" in capsys.readouterr().err
    assert main(resume) == 0
    assert "the run had its 4 steps already; ask for more" in capsys.readouterr().out
    new_size = ["--resume-from", str(run / "checkpoints/step-00000004"), "--size", "small"]
    assert train(corpus, tmp_path / "other", *new_size) == 2


def test_a_folder_that_is_a_file_is_named_before_any_work(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert train(corpus, tmp_path / "file") == 2
    assert "cannot be a run's folder" in capsys.readouterr().err
    assert train(corpus, tmp_path / "file" / "run") == 2
    assert f"{tmp_path / 'file'} is a file; choose another" in capsys.readouterr().err
    assert train(corpus, tmp_path / "run", "--cache", str(tmp_path / "file")) == 2
    assert "cannot hold computed features: it is a file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "run").exists()


def test_a_held_out_recording_that_is_not_finite_is_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, (clip, *_) = split(ljspeech.read(corpus), 2)
    clip.path.unlink()
    soundfile.write(clip.path.with_suffix(".wav"), [math.nan] * 16000, 16000, subtype="FLOAT")
    assert train(corpus, tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert "held-out clips" in error
    assert f"{clip.id}: " in error
    assert main(["check", str(corpus)]) == 0  # it can be read; the guard finds it


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected `name: value` lines, got nothing; --print_config writes a file"),
        (b"lr: \xff", "not UTF-8 at byte 4"),
        (b"- 1", "got list"),
    ],
)
def test_a_file_that_holds_no_settings(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    assert train(corpus, tmp_path / "run", "--config", str(tmp_path / "c.yaml")) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "steps: got 0; give at least 1"),
        (["--seed", "-1"], "seed: got -1; give at least 0"),
    ],
)
def test_the_demo_checks_its_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["demo", "--run", str(tmp_path / "demo"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speak", '[" "]'], "has nothing to say; write a sentence"),
        (["--language", "xx"], "'xx'"),
        (["--frame-drop", "2"], "frame_drop: got 2.0; give at most 1"),
        (["--lr", "nan"], "Got value: nan"),
    ],
)
def test_what_would_fail_later_is_refused_now(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert train(corpus, tmp_path / "run", *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run/journal.jsonl").exists()


def test_the_settings_can_be_printed_to_start_from(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "tacotron2", "--print_config"])
    assert ended.value.code == 0
    assert "batch_size: 16" in capsys.readouterr().out
