"""What a fresh reader broke, each as a test."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.act.checkpoints import Checkpoints
from rerail.core.detectors import DEFAULT
from rerail.core.plans import default_plan
from rerail.core.remedy import Ladder, Move, Remedy
from rerail.core.verdict import Plan
from rerail.guard import Guard, Keep
from rerail.tell import journal
from toy import same, toy

Batch = dict[str, Any]
OFTEN = Keep(snapshot_every=5, probation=3, checkpoint_every=10)


def guard_of(model: nn.Module, losses: Any, **more: Any) -> Guard:
    return Guard(model, torch.optim.SGD(model.parameters(), 0.01), losses, **more)


def test_a_nan_outside_the_rows_does_not_hang() -> None:
    model = nn.Linear(4, 1)
    guard = guard_of(model, lambda b: model(b["x"]).square().mean() + b["packed"].sum())
    packed = torch.zeros(100, 2)
    packed[50] = math.nan
    step = guard.step({"id": list("abcdefgh"), "x": torch.randn(8, 4), "packed": packed})
    assert step.verdict.move is Move.SKIP
    assert step.verdict.findings[0].code == "nonfinite.loss"


def test_good_rows_are_not_quarantined_for_a_nan_elsewhere() -> None:
    model = nn.Linear(4, 1)

    def losses(batch: Batch) -> Tensor:
        known = batch["y"].isfinite()  # a NaN label means missing here
        return ((model(batch["x"]) - batch["y"])[known]).square().mean() * batch["factor"]

    guard = guard_of(model, losses)
    y = torch.randn(8, 1)
    y[::2] = math.nan
    batch = {"id": list("abcdefgh"), "x": torch.randn(8, 4), "y": y, "factor": torch.tensor(1.0)}
    guard.observe({"eval/pesq": math.nan})
    assert guard.step(batch).verdict.move is Move.COMMIT
    guard.step({**batch, "factor": torch.tensor(math.inf)})
    assert guard.step(batch).verdict.move is Move.COMMIT
    assert guard.steps == 2
    assert guard._quarantine.ids == set()


def test_an_overflow_in_half_precision_blames_no_row() -> None:
    model = nn.Linear(4, 1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    guard = guard_of(model, lambda b: (model(b["x"]) * 10 + b["mask"].exp().sum() * 0).square().mean(), scaler=scaler)
    mask = torch.zeros(6, 5)
    mask[0, 2:] = -math.inf
    step = guard.step({"id": list("abcdef"), "x": torch.randn(6, 4) * 10, "mask": mask})
    assert [found.code for found in step.verdict.findings] == ["scale.overflow"]
    assert guard._quarantine.ids == set()


@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_a_new_level_is_told_and_lived_with(factor: float) -> None:
    model = nn.Linear(4, 1)
    guard = guard_of(model, lambda b: (model(b["x"]) - b["noise"]).square().mean())
    for step in range(220):
        noise = torch.randn(32, 1) * (factor if step >= 100 else 1.0)
        guard.step({"x": torch.randn(32, 4), "noise": noise})
    assert guard.steps == 220


def test_a_component_that_is_zero_at_first_may_set_in() -> None:
    model = nn.Linear(4, 1)

    def losses(batch: Batch) -> dict[str, Tensor]:
        out = model(batch["x"])
        return {"mse": out.square().mean(), "kl": (out - 3).square().mean() * batch["on"]}

    guard = guard_of(model, losses, weights={"kl": 0.1})
    for step in range(150):
        guard.step({"x": torch.randn(16, 4), "on": torch.tensor(float(step >= 100))})
    assert (guard.steps, guard.tick) == (150, 150)


def test_a_component_may_go_away() -> None:
    model = nn.Linear(4, 1)
    named = iter([["mse", "aux"]] * 5 + [["mse"]] * 5)
    guard = guard_of(model, lambda b: {name: model(b).square().mean() for name in next(named)}, weights={"aux": 0.1})
    for _ in range(10):
        guard.step(torch.randn(4, 4))
    assert guard.steps == 10


def test_a_layer_thawed_later_is_guarded_too() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    model[0].requires_grad_(False)
    losses = lambda b: model(b["x"]).square().mean() + (model[0].weight * b["f"]).sum() * 0  # noqa: E731
    guard = guard_of(model, losses, keep=Keep(proof_replays=0))
    for _ in range(5):
        guard.step({"x": torch.randn(4, 4), "f": torch.tensor(1.0)})
    model[0].requires_grad_(True)
    model[0].weight.register_hook(lambda gradient: gradient * math.nan)
    assert guard.step({"x": torch.randn(4, 4), "f": torch.tensor(1.0)}).verdict.move is Move.SKIP
    assert torch.isfinite(model[0].weight).all()


def test_a_parameter_outside_the_model_is_guarded_and_rewound() -> None:
    model, temperature = nn.Linear(4, 1), nn.Parameter(torch.tensor(0.1))
    optimizer = torch.optim.SGD([*model.parameters(), temperature], 0.01)
    guard = Guard(model, optimizer, lambda b: (model(b) / temperature).square().mean(), keep=OFTEN)
    for _ in range(12):
        guard.step(torch.randn(8, 4))
    healthy = float(temperature.detach())
    with torch.no_grad():
        temperature.fill_(math.nan)
    for _ in range(8):
        guard.step(torch.randn(8, 4))
    assert float(temperature.detach()) == pytest.approx(healthy, rel=0.5)


def test_bad_rows_now_and_then_do_not_keep_snapshots_from_being_promoted(tmp_path: Path) -> None:
    def bad(batch: Batch) -> Batch:
        batch["x"][3, 2] = math.nan
        return batch

    run = toy(faults=dict.fromkeys(range(3, 200, 4), bad), run=tmp_path / "run", keep=OFTEN)
    run.train(100)
    healthy = [manifest for _, manifest in Checkpoints(tmp_path / "run/checkpoints").list()]
    assert healthy[-1].step >= 90


def test_a_deeper_rewind_trains_all_kept_batches_again_and_abandons_later_checkpoints(tmp_path: Path) -> None:
    def huge(batch: Batch) -> Batch:
        return {**batch, "y": batch["y"] * 1e6}

    ladder = Ladder(rungs=(Remedy(move=Move.REWIND, depth=1), Remedy(move=Move.SKIP)), window=50)
    plan = Plan(detectors=DEFAULT, ladders={**default_plan().ladders, "loss.outlier": ladder})
    run = toy(faults={34: huge}, run=tmp_path / "run", plan=plan, keep=replace(OFTEN, proof_replays=0))
    for _, batch in zip(range(36), run.loader, strict=False):
        run.guard.step(batch)
    run.guard.close()
    (did, _) = [r["did"] for r in journal.read(tmp_path / "run") if r["kind"] == "outcome" and "did" in r]
    assert did["step_after"] == 25
    assert (did["again"], did["lost"]) == (9, 0)
    assert run.guard.steps == 35  # 36 batches, one skipped
    found = Checkpoints(tmp_path / "run/checkpoints").list()
    assert all(manifest.health != "abandoned" or manifest.step > 25 for _, manifest in found)


def test_a_resume_takes_no_abandoned_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    state = {"model": {}, "buffers": {}, "loose": [], "optimizers": [], "others": []}
    for step in (10, 20):
        checkpoints.save(state, step=step, tick=step, healthy=True)
    checkpoints.abandon(after=10)
    found = checkpoints.newest_sound()
    assert found is not None
    assert found[0].name == "step-00000010"
    checkpoints.save(state, step=20, tick=40, healthy=True)
    found = checkpoints.newest_sound()
    assert found is not None
    assert found[0].name == "step-00000020"


def test_a_run_that_died_before_its_first_checkpoint_keeps_its_ticks(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    run.train(5)
    run.guard.close()
    again = toy(run=tmp_path / "run", resume=True)
    assert (again.guard.tick, again.guard.steps) == (5, 0)
    again.train(3)
    again.guard.close()
    ticks = [record["tick"] for record in journal.read(tmp_path / "run") if record["kind"] == "reading"]
    assert ticks == list(range(1, 9))


class Cached(nn.Module):
    """Fills one buffer at the first forward, and grows another."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.register_buffer("cache", None)
        self.register_buffer("grown", torch.zeros(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.cache = x.detach().mean(0)
        self.grown = torch.zeros(len(self.grown) + 1)
        return self.layer(x)


def test_buffers_that_appear_or_grow_survive_a_rewind() -> None:
    model = Cached()
    guard = guard_of(model, lambda b: model(b).square().mean(), keep=OFTEN)
    with torch.no_grad():
        model.layer.weight.fill_(math.nan)
    guard.step(torch.randn(4, 4))
    assert torch.isfinite(model.layer.weight).all()
    assert guard.steps == 1


def test_a_loss_that_takes_keys_out_of_its_batch_can_be_replayed() -> None:
    run = toy(keep=OFTEN)
    taking = Guard(
        run.model,
        run.optimizer,
        lambda b: (run.model(b.pop("x")) - b.pop("y")).square().mean(),
        keep=OFTEN,
    )
    for _, batch in zip(range(12), run.loader, strict=False):
        taking.step(batch)
    with torch.no_grad():
        run.model[0].weight[0, 0] = math.nan
    taking.step(next(iter(run.loader)))
    assert taking.steps == 13


def test_micro_batches_without_ids_do_not_shift_the_others() -> None:
    model = nn.Linear(4, 1)
    guard = guard_of(model, lambda b: model(b["x"]).square().mean())
    bad = torch.randn(3, 4)
    bad[1] = math.nan
    guard.step({"x": bad}, {"x": torch.randn(3, 4), "id": ["a", "b", "c"]})
    assert guard._quarantine.ids == set()
    assert guard.steps == 1


def test_state_updated_after_each_commit_resumes_bitwise(tmp_path: Path) -> None:
    def run(folder: Path, *, resume: bool, steps: int) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = nn.Linear(4, 1)
        average = torch.optim.swa_utils.AveragedModel(model)
        guard = guard_of(
            model,
            lambda b: model(b).square().mean(),
            state=[average],
            after_commit=lambda: average.update_parameters(model),
            run=folder,
            resume=resume,
        )
        while guard.steps < steps:
            guard.step(torch.full((2, 4), float(guard.steps % 3)))
        guard.save()
        guard.close()
        return dict(average.state_dict())

    whole = run(tmp_path / "whole", resume=False, steps=20)
    run(tmp_path / "parts", resume=False, steps=9)
    parts = run(tmp_path / "parts", resume=True, steps=20)
    assert same(list(whole.values()), list(parts.values()))
    assert int(whole["n_averaged"]) == 20


def test_an_average_that_is_poisoned_is_not_saved_as_healthy(tmp_path: Path) -> None:
    run = toy()
    average = torch.optim.swa_utils.AveragedModel(nn.Linear(1, 1))
    guard = Guard(run.model, run.optimizer, state=[average], run=tmp_path / "run")
    with torch.no_grad():
        average.module.weight.fill_(math.nan)
    with pytest.raises(ValueError, match="the state is not finite"):
        guard.save()
    guard.close()


def test_another_optimizer_is_refused_at_resume(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    run.train(3)
    path = run.guard.save()
    model = toy().model
    with pytest.raises(ValueError, match=r"the checkpoint is of \['Adam'\], this run has \['SGD'\]"):
        Guard(model, torch.optim.SGD(model.parameters(), 0.1), resume=path or "")


def test_two_optimizers_one_without_gradients_under_a_scaler() -> None:
    one, other = nn.Linear(4, 1), nn.Linear(4, 1)
    model = nn.ModuleList([one, other])
    optimizers = [torch.optim.SGD(one.parameters(), 0.1), torch.optim.SGD(other.parameters(), 0.1)]
    guard = Guard(
        model, optimizers, lambda b: one(b).square().mean(), scaler=torch.amp.GradScaler("cpu", init_scale=4.0)
    )
    guard.step(torch.randn(4, 4))
    assert guard.steps == 1


def test_misuse_says_what_to_do(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    with pytest.raises(ValueError, match="LBFGS runs the loss itself"):
        Guard(model, torch.optim.LBFGS(model.parameters()))
    with pytest.raises(ValueError, match=r"Keep\.snapshot_every: 0 is too small; give at least 1"):
        Keep(snapshot_every=0)
    with pytest.raises(ValueError, match="needs a batch, got none"):
        guard_of(model, lambda b: model(b).sum()).step()
    with pytest.raises(ValueError, match=r"loss 'a' must be a scalar tensor, got float: 1\.0"):
        guard_of(model, lambda _: {"a": 1.0}).step(torch.randn(1, 4))
    nn.init.constant_(model.weight, math.nan)
    with pytest.raises(ValueError, match="not finite before the first step"):
        guard_of(model, lambda b: model(b).sum(), run=tmp_path / "run")
    assert not (tmp_path / "run/journal.jsonl").exists()
