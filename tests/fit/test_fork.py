from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rerail.core.knobs import Knobs
from rerail.core.remedy import Move, Remedy
from rerail.fit import FitConfig, Parts, beginning, fork, past, prepare, scheduled, train
from rerail.fit import optimizer as made
from toy import Loader, network

FIT = FitConfig(steps=20, evaluate_every=100, checkpoint_every=5, snapshot_every=5, warmup=3, lr=1e-2)


@dataclass
class Squares:
    """The smallest task; from `nan_from` on, its loss is no number."""

    nan_from: float = math.inf
    fit: FitConfig = FIT

    def build(self) -> Parts:
        model = network()
        optimizer = made(model.parameters(), self.fit, torch.optim.Adam)
        schedule = scheduled(optimizer, self.fit)

        def losses(batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
            fault = math.nan if schedule.last_epoch >= self.nan_from else 1.0
            return {"square": (model(batch["x"]) - batch["y"]).square().mean() * fault}

        held_out = [next(iter(Loader(seed=9)))]
        given = {"model": model, "optimizer": optimizer, "scheduler": schedule, "losses": losses}
        return Parts(**given, data=Loader(), held_out=held_out)  # type: ignore[arg-type]

    def evaluate(self, model: nn.Module, batches: Any) -> dict[str, float]:
        model.eval()
        torch.rand(3)
        (batch,) = batches
        return {"square": float((model(batch["x"]) - batch["y"]).square().mean().detach())}

    def figures(self, _model: nn.Module, _batches: Any, *, last: bool) -> dict[str, Any]:
        assert last in (True, False)
        return {}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    assert train(Squares(), FIT, run=tmp_path / "run").reason == "finished"
    return tmp_path / "run"


def at(run: Path, step: int) -> Path:
    return run / f"checkpoints/step-{step:08d}"


def test_a_fork_goes_as_the_run_went_and_leaves_nothing(run: Path) -> None:
    before = sorted(run.rglob("*"))
    parts = prepare(Squares(), FIT)
    done = fork(Squares(), parts, FIT, at(run, 10), 10)
    assert (done.steps, done.trouble) == (10, "")
    assert done.metrics["square"] > 0
    whole = past.load(at(run, 20))["model"]
    assert all(torch.equal(one, whole[name]) for name, one in parts.model.state_dict().items())
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize("fit", [replace(FIT, ema=0.9), replace(FIT, schedule="schedule-free")])
def test_a_fork_is_measured_at_the_average_as_the_run_is(fit: FitConfig, tmp_path: Path) -> None:
    measured = train(Squares(fit=fit), fit, run=tmp_path / "run").metrics
    done = fork(Squares(fit=fit), prepare(Squares(fit=fit), fit), fit, at(tmp_path / "run", 10), 10)
    assert done.metrics == measured


def test_it_runs_under_the_knobs_that_its_checkpoint_brings(run: Path, tmp_path: Path) -> None:
    state = past.load(at(run, 10))
    still = Remedy(move=Move.COMMIT, knobs=Knobs(lr_scale=1e-9), hold=20)
    path = past.write(tmp_path / "other", state | {"memory": past.dosed(state["memory"], [still], anew=False)})
    parts = prepare(Squares(), FIT)
    fork(Squares(), parts, FIT, path, 5)
    moved = [(one.detach() - state["model"][name]).abs().max() for name, one in parts.model.named_parameters()]
    assert max(float(one) for one in moved) < 1e-6


def test_it_tells_what_ended_it(run: Path) -> None:
    task = Squares(nan_from=13)
    done = fork(task, prepare(task, FIT), FIT, at(run, 10), 10)
    assert done.steps == 3
    assert "loss/square is not finite" in done.trouble
    assert done.metrics == {}


def test_the_beginning_is_the_whole_state_of_a_run_that_has_not_begun() -> None:
    parts = prepare(Squares(), FIT)
    state = beginning(parts, FIT)
    assert (state["step"], state["memory"]["tick"], state["kinds"]) == (0, 0, ["Adam"])
    assert all(torch.equal(one, state["model"][name]) for name, one in parts.model.state_dict().items())
