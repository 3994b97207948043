from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import small_tacotron2
from rerail.cli import main
from rerail.guard import Keep
from toy import toy
from written_runs import falling, run


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    made = [
        run(tmp_path / f"lr{lr}-{seed}", falling(1.0 + seed / 10, rate=lr, eval__a=1.0), lr=lr, seed=seed)
        for lr in (0.1, 0.2)
        for seed in range(3)
    ]
    return [str(one) for one in made]


def test_tables_are_lines_with_tabs_in_a_pipe(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs]) == 0
    out = capsys.readouterr().out
    assert "lr0.1-0\tA\t0\t39\tnot known\t40 s\tfinished\t0 times" in out
    assert "setting\tlr\t0.1\t0.2" in out
    assert "At equal steps (39 steps)." in out
    assert "\t0.1\tnothing: p is 0.1 or more" in out
    assert "with 4 a group it can" in out
    assert "lr0.2-1\tlr0.1-1\tboth 1\ttick 2 (step 1): loss/mel" in out


def test_files_are_written_and_not_written_over(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    files = ["--html", str(page), "--csv", str(table)]
    assert main(["compare", *runs, *files]) == 0
    assert f"written: {page}" in capsys.readouterr().out
    assert page.read_text(encoding="utf8").startswith("<!DOCTYPE html>")
    with table.open(encoding="utf8", newline="") as file:
        assert {one["what"] for one in csv.DictReader(file)} == {"level", "difference", "reach"}
    page.write_text("mine")
    assert main(["compare", *runs, *files]) == 2
    said = capsys.readouterr().err
    assert f"--html: {page} is there already; give another name, or --force to write over it" in said
    assert f"--csv: {table} is there already" in said
    assert page.read_text() == "mine"
    assert main(["compare", *runs, *files, "--force"]) == 0
    assert page.read_text(encoding="utf8").startswith("<!DOCTYPE html>")
    assert not list(tmp_path.glob(".*"))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = str(tmp_path / "gone")
    assert main(["compare", gone, "--at", "epochs=3", "--reach", "mel", "--csv", str(tmp_path / "no" / "x.csv")]) == 2
    said = capsys.readouterr().err
    assert "5 problem(s)" in said
    assert "--at: got epochs=3" in said
    assert "--reach: got mel" in said
    assert "a comparison needs two runs or more, got 1" in said
    assert "gone is no run folder" in said
    assert "--csv: there is no folder" in said


def test_what_is_asked_for_is_shown(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--at", "steps=20", "time=10", "--reach", "loss/mel=0.5", "--only", "loss/*"]
    assert main(["compare", *runs, *asked]) == 0
    out = capsys.readouterr().out
    assert "At equal steps (20 steps)." in out
    assert "At equal time (10 s)." in out
    assert "loss/mel\t<= 0.5\tA\t3 of 3\t" in out
    assert "eval/a" not in out
    assert main(["compare", *runs, "--reach", "loss/mle=1", "--at", "steps=1000"]) == 2
    said = capsys.readouterr().err
    assert "did you mean loss/mel?" in said
    assert "steps=1000: lr0.1-0 ends at 39" in said


def test_real_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def train(name: str, **more: Any) -> str:
        keep = Keep(snapshot_every=5, probation=3)
        trained = toy(run=tmp_path / name, keep=keep, config={"name": name, **more})
        trained.train(8)
        trained.guard.close()
        return str(tmp_path / name)

    same = [train("one", lr=1, seed=0), train("two", lr=1, seed=0)]
    assert main(["compare", *same]) == 0
    out = capsys.readouterr().out
    assert "two\tone\tboth 0\tnever, in 8 ticks\tnever, in 8 ticks" in out
    assert "two\tA (repeat)\t0\t7\t" in out


def test_the_ids_of_held_out_samples_are_read_beside_the_journal(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def others(state: dict[str, Any]) -> None:
        kept = next(one for one in state["others"] if "held_out" in one)
        kept["held_out"] = ["other", *kept["held_out"][1:]]

    changed = small_tacotron2.changed(trained_run, tmp_path / "changed", others)
    assert main(["compare", str(trained_run), str(changed), "--only", "eval/mel"]) == 0
    out = capsys.readouterr().out
    assert "measured on other held-out samples: 2, 1 of them in all\t" in out
    assert "data\theld-out samples\t2 (ids " in out


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["compare", "--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "docs/comparison.md" in said
    assert "steps=1000, samples=16000 or time=60" in said
