from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from faultbench.play import journalled

from rerail.cli import main
from rerail.core.detectors import DEFAULT
from small_run import small


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run under the guard, healthy but for a batch with a NaN at tick 21."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    journalled(small(steps=80, nan_at=[20]), folder)
    return folder


@pytest.fixture(scope="module")
def noisy(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same readings with a gradient twenty times as large at three ticks, as a healthy run of another kind has."""
    folder = tmp_path_factory.mktemp("runs") / "noisy"
    folder.mkdir()
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf8").splitlines()]
    for one in lines:
        if one["kind"] == "reading" and one["tick"] in (61, 62, 63):
            one["values"]["grad/norm"] *= 1e3
    kept = [one for one in lines if one["kind"] in ("reading", "cause")]
    (folder / "journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in kept), encoding="utf8")
    return folder


def test_a_quiet_run_needs_no_plan_or_only_more_margin(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.yaml"
    assert main(["calibrate", str(run), "--margin", "1", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "1 healthy run, 81 ticks" in told
    assert "Not counted: alarms around 1 tick at which a replay proved rows to be bad" in told
    assert "Nothing needs changing" in told
    assert not out.exists()
    lines = [line.split("\t") for line in told.splitlines() if "\t" in line]
    assert len(lines) == len(DEFAULT)
    assert {line[1] for line in lines} == {"0"}


def test_a_noisy_run_gives_a_plan_that_is_quiet_and_that_replay_takes(
    run: Path, noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.yaml"
    assert main(["calibrate", str(run), str(noisy), "--out", str(out), "--all"]) == 0
    told = capsys.readouterr().out
    line = next(line.split("\t") for line in told.splitlines() if line.startswith("explosion\t"))
    assert int(line[1]) > 0
    assert line[3].partition(" ")[0] in ("sigmas", "factor", "at_once")
    assert float(line[5]) < 1
    assert f"next: rerail replay {run} --plan {out}" in told
    detectors = yaml.safe_load(out.read_text(encoding="utf8"))["detectors"]
    assert set(detectors["explosion"]) <= {"sigmas", "factor", "at_once"}
    assert main(["replay", str(run), "--plan", str(out)]) == 0
    assert "The plan decides as the run did" in capsys.readouterr().out
    assert main(["calibrate", str(run), str(noisy), "--plan", str(out)]) == 0
    assert "Nothing needs changing" in capsys.readouterr().out


def test_what_no_threshold_silences_is_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(run), "--count-proved", "--margin", "1"]) == 1
    told = capsys.readouterr().out
    assert "No threshold silences 1 alarm: nonfinite.input at tick 21" in told
    assert "leave the run out where it was not healthy" in told


def test_a_file_is_written_over_only_where_that_is_asked_for(
    noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.yaml"
    out.write_text("mine: 1\n", encoding="utf8")
    assert main(["calibrate", str(noisy), "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"rerail: --out: {out} is there already; give another name, or --overwrite\n"
    assert out.read_text(encoding="utf8") == "mine: 1\n"
    assert main(["calibrate", str(noisy), "--out", str(out), "--overwrite"]) == 0
    assert "explosion" in yaml.safe_load(out.read_text(encoding="utf8"))["detectors"]


def test_without_a_file_the_plan_is_printed(noisy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(noisy)]) == 0
    told = capsys.readouterr().out
    printed = told.partition("The plan (--out writes it to a file):\n")[2]
    assert "explosion" in yaml.safe_load(printed)["detectors"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nothing"], "nothing is no run folder: it has no journal.jsonl"),
        (["RUN", "--margin", "0.5"], "--margin: expected 1 or more, got 0.5"),
        (["RUN", "--plan", "missing.yaml"], "missing.yaml: no such file"),
        ([], "runs"),
    ],
)
def test_wrong_input_is_named(run: Path, arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *(str(run) if one == "RUN" else one for one in arguments)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("rerail: ")
    assert error in told


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["calibrate", "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("--out", "--overwrite", "--margin", "rerail replay", "95 %"))
