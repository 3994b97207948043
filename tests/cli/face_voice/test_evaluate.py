"""rerail evaluate face-voice: every figure beside chance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rerail.cli import main

Out = pytest.CaptureFixture[str]


def test_figures_stand_beside_chance_and_lie_in_a_file(matching_run: Path, tmp_path: Path, capsys: Out) -> None:
    assert main(["evaluate", "face-voice", str(matching_run), "--out", str(tmp_path / "x.json")]) == 0
    out = capsys.readouterr().out
    assert "unseen recordings of identities that were trained on" in out
    (auc, *_) = (line.split("\t") for line in out.splitlines() if line.startswith("AUC"))
    assert auc[3] == "0.500"
    assert "not better than chance" not in auc
    about = json.loads((tmp_path / "x.json").read_text())
    assert [one["name"] for one in about["sets"]] == ["seen", "unseen"]
    figure = about["sets"][0]["figures"][0]
    assert figure.keys() == {"name", "value", "low", "high", "chance"}
    assert main(["evaluate", "face-voice", str(matching_run), "--out", str(tmp_path / "x.json")]) == 2
    assert "x.json is there already" in capsys.readouterr().err


def test_intervals_over_few_identities_are_said_to_be_too_narrow(matching_run: Path, capsys: Out) -> None:
    assert main(["evaluate", "face-voice", str(matching_run)]) == 0
    assert "2 identities are few: their intervals say too little" in capsys.readouterr().out


def test_networks_of_other_kinds_are_told_apart(trained_run: Path, matching_run: Path, capsys: Out) -> None:
    assert main(["evaluate", "face-voice", str(trained_run)]) == 2
    assert "give a checkpoint of a matching network" in capsys.readouterr().err
    assert main(["evaluate", "tacotron2", str(matching_run)]) == 2
    assert "a face-voice network, which says nothing" in capsys.readouterr().err
