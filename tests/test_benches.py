"""Benches are run by hand, months apart: here each takes a step, so that they do not rot."""

from __future__ import annotations

import argparse
import importlib
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rerail.fit import FitConfig, Result
from rerail.tasks.face_voice.presets import PRESETS

BENCH = Path(__file__).parent.parent / "bench"


def test_the_speed_of_tacotron2_is_still_measured_beside_an_equal_plain_loop() -> None:
    command = [sys.executable, str(BENCH / "tacotron2.py"), "--frames", "4", "--batch", "2", "--pairs", "1"]
    done = subprocess.run(
        [*command, "--precision", "fp32", "--threads", "1", "--coqui", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| plain, torch" in done.stdout
    assert "| coqui | not measured: none is not there" in done.stdout


def test_what_a_size_of_xtts_costs_is_still_measured() -> None:
    command = [sys.executable, str(BENCH / "xtts.py"), "--sizes", "tiny", "--batch", "2", "--seconds", "0.5"]
    done = subprocess.run([*command, "--steps", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| tiny | 1.6 M |" in done.stdout


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("levels")


def test_an_interval_is_given_for_any_number_of_seeds(levels: ModuleType) -> None:
    assert levels.interval([1.0]) == "1"
    assert levels.interval([1.0, 3.0]) == "2 ± 13"
    assert levels.interval([1.0, 3.0] * 5) == "2 ± 0.75"  # 2.262 x 1.054 / sqrt(10)
    assert levels.interval([1.0, 3.0] * 50) == "2 ± 0.2"
    assert levels.interval([1.0, math.nan]) == "nan"


def test_a_rate_is_a_number_however_it_is_written(levels: ModuleType) -> None:
    given = levels.values("basic lr=1e-3 schedule=noam warmup=30 guide_moves=false")
    assert (given["lr"], given["schedule"], given["warmup"], given["guide_moves"]) == (1e-3, "noam", 30, False)


def test_rows_of_other_settings_or_steps_are_not_averaged(levels: ModuleType, tmp_path: Path) -> None:
    row = dict.fromkeys(levels.COLUMNS, "1") | {"name": "basic", "guarded": "True", "finite": "True"}
    keys = [levels.key_of(levels.given_of("basic", steps)) for steps in (300, 400)]
    assert len({*keys, levels.key_of(levels.given_of("basic lr=1e-3", 300))}) == 3
    rows = [row | {"key": key, "steps": str(steps)} for key, steps in zip(keys, (300, 400), strict=True)]
    levels.added(tmp_path / "levels.csv", rows)
    assert levels.shown(tmp_path / "levels.csv").count("| basic |") == 2
    (tmp_path / "old.csv").write_text("name,seed\nbasic,0\n")
    with pytest.raises(SystemExit, match=r"an older bench's, without .*key"):
        levels.shown(tmp_path / "old.csv")


def test_what_a_setting_adds_is_taken_at_the_same_seed(levels: ModuleType, tmp_path: Path) -> None:
    def row(name: str, seed: int, value: float) -> dict[str, str]:
        key = levels.key_of(levels.given_of(name, 300))
        about = {"name": name, "key": key, "seed": str(seed), "guarded": "True", "steps": "300"}
        return dict.fromkeys(levels.COLUMNS, str(value)) | about

    fast = "basic lr=1e-3"
    rows = [row("basic", 0, 1.0), row("basic", 1, 3.0), row(fast, 0, 0.5), row(fast, 1, 2.5), row(fast, 2, 9.0)]
    levels.added(tmp_path / "levels.csv", rows)
    (_, _, told) = levels.against(tmp_path / "levels.csv", "basic").splitlines()
    assert told.startswith(
        f"| {fast} | {rows[2]['key']} | 300 | yes | 2 | -0.5 ± 0 | "
    )  # and by their means it would be +2


def test_runs_that_never_arrive_are_counted_and_not_averaged_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    pooled, table = importlib.import_module("pooled"), tmp_path / "pooled.csv"
    given = argparse.Namespace(steps=50, data="a.csv", validation="b.csv")
    other = argparse.Namespace(steps=90, data="a.csv", validation="b.csv")
    for seed, end in enumerate((1.0, 1.0, 3.0)):
        for name, on, last in (("original", given, 2.0), ("basic", given, end), ("basic", other, 0.1)):
            curve = [(20, 0.0, 4.0), (40, 20.0, 4.0), (50, 30.0, last)]
            pooled.added(table, pooled.rows(pooled.kind(name, on), seed, curve), pooled.COLUMNS)
    lines = pooled.shown(table).splitlines()[2:]
    told = [[cell.strip() for cell in line.split("|")[4:]] for line in lines]
    assert [cells[2] for cells in told] == ["50 ± 0", "2 of 3 arrived, after 47, 47", ""]
    assert [cells[0] for cells in told] == ["3", "3", "3"]


def test_a_curve_has_the_runs_own_steps_whatever_a_fork_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    pooled = importlib.import_module("pooled")
    made = lambda _: SimpleNamespace(model=object(), scheduler=SimpleNamespace(last_epoch=0))  # noqa: E731
    monkeypatch.setattr(pooled.XttsTask, "build", made)
    monkeypatch.setattr(pooled, "mel_error", lambda *_, **__: 0.5)
    task = pooled.Watched(pooled.XttsConfig(), pooled.FitConfig())
    run = task.build()
    for step in (20, 25):
        run.scheduler.last_epoch = step
        task.evaluate(run.model, [])
        task.evaluate(task.build().model, [])
    assert [step for step, _, _ in task.__dict__["curve"]] == [20, 25]


def test_the_interval_of_a_median_is_of_order_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    interval = importlib.import_module("listeners").interval
    assert interval([float(one) for one in range(20)]) == pytest.approx((5, 14, 0.9586), abs=1e-4)
    assert interval([3.0, 1.0, 2.0]) == (1.0, 3.0, 0.75)
    assert interval([1.0]) == (1.0, 1.0, 0.0)


def test_what_comes_rarely_counts_in_the_throughput_of_all_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    whole = importlib.import_module("listeners").whole
    assert whole([2.0] * 50, [2.0] * 50) == (1.0, 1.0, 1.0)
    found, low, high = whole([1.0] * 100, [1.0] * 90 + [11.0] * 10)
    assert found == 0.5  # and the median would be 1
    mean, deviation = 2.0, 3.0 / 100**0.5  # ten in a hundred last ten longer
    assert low == pytest.approx(1 / (mean + 1.96 * deviation), abs=0.02)
    assert high == pytest.approx(1 / (mean - 1.96 * deviation), abs=0.06)


@pytest.mark.parametrize(
    ("clips", "told"),
    [
        ([("a", 1), ("a", 2), ("b", 3)], r"one clip alone of b \(en\)"),
        ([("a", 1), ("a", 2)], "one speaker alone, 'a'"),
    ],
)
def test_voices_say_what_there_is_too_little_of(
    clips: list[tuple[str, int]], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    voices = importlib.import_module("voices")
    there = [SimpleNamespace(id=str(number), speaker=speaker, language="en") for speaker, number in clips]
    monkeypatch.setattr(voices, "Corpus", lambda _: SimpleNamespace(clips=there))
    trained = SimpleNamespace(config=SimpleNamespace(sample_rate=16000), held_out=())
    with pytest.raises(SystemExit, match=told):
        voices.voices(trained, None)


@pytest.fixture
def tuning(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("optuna")
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("tune_matching")


def test_what_was_tuned_is_written_whole_so_that_no_preset_changes_it(tuning: ModuleType) -> None:
    drawn = {"lr": 1e-3, "weight_decay": 0.1, "batch_size": 32}
    found = tuning.settings(drawn)
    assert PRESETS.values("usual").keys() - {"plateau_factor"} <= found.keys()
    assert (found["schedule"], found["plateau_patience"], found["lr"]) == ("cosine", 0, 1e-3)
    assert FitConfig(**found) == FitConfig(**tuning.LOOP, **drawn)


def test_a_trial_that_halted_is_passed_over_and_one_that_was_stopped_ends_the_search(tuning: ModuleType) -> None:
    ends = iter(["finished", "halted", "finished", "stopped", "finished"])
    study = tuning.optuna.create_study()

    def objective(trial: Any) -> float:
        reason: Any = next(ends)
        metrics = {"rank": 0.5} if reason == "finished" else {}
        found: float = tuning.outcome(trial, Result(reason=reason, steps=3, metrics=metrics))
        return found

    study.optimize(objective, n_trials=5)
    assert [one.state.name for one in study.trials] == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED"]
    assert study.best_value == 0.5
