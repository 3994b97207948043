"""Recording a training: nothing is done about what is found, and what is kept is small and readable."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from faultbench.recorded import index
from faultbench.trainings.training import Training

from faultbench import record
from small_run import small, sound


def training(**given: Any) -> Training:
    run = small(**given)
    return Training(
        model=run.model,
        optimizer=run.optimizer,
        losses=run.losses,
        batches=run.batches,
        steps=len(run.batches),
        evaluate=lambda: {"square": float(run.losses(run.held_out[0])["square"].detach())},
        shown=("square",),
        every=10,
    )


Offer = Callable[[Training], None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Put a training among those that can be recorded, as `small`."""
    return lambda made: monkeypatch.setitem(record.TRAININGS, "small", lambda *_: made)  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(index, "FOLDER", tmp_path)
    return tmp_path


def test_readings_are_kept_to_six_digits_with_held_out_numbers(kept: Path, offer: Offer) -> None:
    offer(training(steps=30))
    about = record.record("small", 0)
    lines = list(index.records("small"))
    assert [one["tick"] for one in lines] == list(range(1, 32))  # one of its own for what was measured at the end
    assert about["ticks"] == 31
    losses = [one["values"]["loss/square"] for one in lines[:-1]]
    assert all(value == float(f"{value:.6g}") for value in losses)
    assert [one["tick"] for one in lines if "eval/square" in one["values"]] == [11, 21, 31]
    assert about["held_out"]["square"] == pytest.approx(lines[-1]["values"]["eval/square"], rel=1e-3)
    assert about["command"] == "python -m faultbench.record --only small --seed 0"
    assert about["packages"]["torch"] == torch.__version__
    assert (kept / "small.jsonl.gz").exists()


@pytest.mark.usefixtures("kept")
def test_a_failing_training_really_fails(offer: Offer) -> None:
    made = training(steps=12, nan_at=[5])
    offer(made)
    record.record("small", 0)
    assert not sound(made)  # type: ignore[arg-type]
    losses = [float(one["values"].get("loss/square", 0.0)) for one in index.records("small")]
    assert [math.isnan(one) for one in losses] == [False] * 5 + [True] * 7 + [False]


def test_the_same_readings_give_the_same_file(kept: Path) -> None:
    given = [{"kind": "reading", "tick": 1, "values": {"loss/total": 0.123456789, "grad/norm": "inf", "step": 0.0}}]
    assert record.keep("one", iter(given)) == 1
    first = (kept / "one.jsonl.gz").read_bytes()
    record.keep("one", iter(given))
    assert (kept / "one.jsonl.gz").read_bytes() == first
    (line,) = index.records("one")
    assert line["values"] == {"loss/total": 0.123457, "grad/norm": "inf", "step": 0}
