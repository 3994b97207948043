"""The demo in small: the tiny network meets the same three faults, earlier."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rerail.data import demo as embedded
from rerail.data import ljspeech
from rerail.fit import FitConfig, Result, guarded, prepare, train, train_unguarded
from rerail.tasks.tacotron2 import demo
from rerail.tasks.tacotron2.demo import Derailing
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tell import journal

STEPS = 46


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "HOT_STEPS", range(20, 25))
    monkeypatch.setattr(demo, "HOT", 100.0)
    monkeypatch.setattr(demo, "ENERGY_FROM", 40)


def short_clips(folder: Path) -> None:
    """Copy the shortest of the embedded clips: replays go by frames."""
    if folder.exists():
        return
    (folder / "wavs").mkdir(parents=True)
    clips = sorted(ljspeech.read(embedded.folder()), key=lambda one: one.path.stat().st_size)[:24]
    for clip in clips:
        shutil.copy(clip.path, folder / "wavs")
    ljspeech.write(folder / "metadata.csv", clips)


def small(folder: Path, seed: int = 0) -> tuple[Derailing, FitConfig]:
    short_clips(folder)
    task, fit = demo.demo_task(folder, seed=seed, steps=STEPS)
    fit = replace(fit, batch_size=5, evaluate_every=1000)
    inner = Tacotron2Task(replace(task.inner.config, size="tiny", reduction=5), fit, ("please hold",))
    return Derailing(inner), fit


def run(folder: Path, seed: int = 0) -> tuple[Result, list[dict[str, Any]]]:
    task, fit = small(folder / "data", seed)
    return train(task, fit, run=folder / "run"), list(journal.read(folder / "run"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / f"run/checkpoints/step-{STEPS:08d}/state.pt"
    return dict(torch.load(path, weights_only=True)["model"])


def readings(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in record["values"].items() if not name.startswith(("time/", "memory/"))}
        for record in records
        if record["kind"] == "reading"
    ]


def begun(folder: Path, steps: int) -> list[dict[str, Any]]:
    """Train the first steps of the run, by the same schedule."""
    task, fit = small(folder / "data")
    parts = prepare(task, fit)
    guard = guarded(parts, fit, run=folder / "run")
    for batch in parts.data:
        if guard.steps == steps:
            break
        guard.step(batch)
    guard.close()
    return list(journal.read(folder / "run"))


def test_the_run_meets_all_three_faults_and_ends_finite_and_the_seed_decides_all(tmp_path: Path) -> None:
    result, records = run(tmp_path / "one")
    assert result.reason == "finished"
    assert result.steps == STEPS
    codes = {
        (found["code"], found["signal"]) for one in records if one["kind"] == "verdict" for found in one["findings"]
    }
    assert ("nonfinite.input", "input/nonfinite") in codes
    assert ("nonfinite.loss", "loss/energy") in codes
    assert {code for code, _ in codes} & {"loss.spike", "loss.outlier", "gradient.explosion"}
    assert len({one["of"] for one in records if one["kind"] == "outcome" and "did" in one}) >= 3
    assert all(torch.isfinite(tensor).all() for tensor in weights(tmp_path / "one").values())
    assert all(math.isfinite(value) for value in result.metrics.values())
    assert any(one["kind"] == "artifact" and one["media"] == "audio/wav" for one in records)

    again = readings(begun(tmp_path / "two", 20))  # past the first fault; what the weights were, the losses show
    assert len(again) > 20
    assert again == readings(records)[: len(again)]


def test_without_the_guard_it_dies(tmp_path: Path) -> None:
    task, fit = small(tmp_path / "data")
    totals = list(train_unguarded(task, replace(fit, steps=12)))
    dead = next(step for step, total in enumerate(totals) if not math.isfinite(total))
    assert not any(math.isfinite(total) for total in totals[dead:])
    assert list(demo.told(totals))[-1] == f"dead since step {dead + 1}: every step after it was wasted\n"
    assert list(demo.told([1.0, 2.0]))[-1] == "the run stayed finite\n"
