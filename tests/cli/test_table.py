from __future__ import annotations

import json
from pathlib import Path

import pytest

from rerail.cli import main


@pytest.fixture
def run(tmp_path: Path) -> Path:
    records = [
        {"v": 1, "kind": "reading", "tick": tick, "time": 1.5, "values": {"loss/a": tick / 3, "lr": 0.1}}
        for tick in range(3)
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    return tmp_path / "run"


def test_readings_become_a_file_that_is_never_overwritten(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.csv")
    assert main(["table", str(run), "--out", out, "--signals", "loss/*"]) == 0
    assert capsys.readouterr().out == f"3 rows in {out}\n"
    assert (tmp_path / "a.csv").read_text().splitlines()[:2] == ["tick,time,loss/a", "0,1.5,0.0"]
    assert main(["table", str(run), "--out", out]) == 2
    assert "is there already; give another name" in capsys.readouterr().err


def test_wrong_input_is_told_in_a_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", str(tmp_path), "--out", str(tmp_path / "a.csv")]) == 2
    assert "is no run folder" in capsys.readouterr().err
    assert main(["table", str(run), "--out", str(tmp_path / "a.csv"), "--what", "losses"]) == 2
    assert main(["table", str(run), "--out", str(tmp_path / "a.csv"), "--signals", "x*, loss/*"]) == 2
    assert "no signal fits x*; this run gives: loss/a, lr" in capsys.readouterr().err
