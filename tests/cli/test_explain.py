from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from rerail.cli import main
from rerail.guard import Keep
from toy import toy


def with_nan(batch: dict[str, Any]) -> dict[str, Any]:
    batch["x"][3] = math.nan
    return batch


@pytest.fixture
def run(tmp_path: Path) -> Path:
    trained = toy(faults={20: with_nan}, run=tmp_path / "run", keep=Keep(snapshot_every=5, probation=3))
    trained.train(50)
    trained.guard.close()
    return tmp_path / "run"


def test_a_real_run_is_explained_from_its_journal(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in run.iterdir():
        if path.name != "journal.jsonl" and path.is_file():
            path.unlink()
    assert main(["explain", str(run)]) == 0
    out = capsys.readouterr().out
    assert "1 intervention:" in out
    assert "rows 0-2, 4-11 alone: healthy" in out
    assert "Samples: 20:3" in out
    assert "leave out row 3 and put its sample in quarantine" in out
    assert "seconds a step" in out
    assert main(["explain", str(run), "--tick", "21"]) == 0
    assert capsys.readouterr().out in out


def test_the_console_and_the_log_tell_the_cause(run: Path) -> None:
    log = (run / "run.log").read_text()
    assert re.search(r"Cause, proved in \d replays: bad data; sample 20:3; it came in with the batch", log)
    assert "Remedy, shown to work by a replay: leave out row 3 and put its sample in quarantine." in log
    assert "In quarantine, kept out of training from now on: 20:3." in log
    assert "nothing changed" not in log


def test_a_quiet_tick_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(run), "--tick", "7"]) == 2
    assert capsys.readouterr().err == "rerail: --tick: the guard did not step in at tick 7; it did at: 21\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing is no run folder: it has no journal.jsonl; give the folder of a run"),
        ([], "run"),
        (["nothing", "--tick", "soon"], "Got value: soon"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["explain", "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200
