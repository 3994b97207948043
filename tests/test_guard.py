from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rerail
from rerail.core import plain
from rerail.core.detectors import DEFAULT
from rerail.core.knobs import Knobs, Precision
from rerail.core.plans import default_plan
from rerail.core.remedy import Ladder, Move, Remedy
from rerail.core.verdict import Plan, relive, start
from rerail.guard import Derailed, Guard, Keep
from rerail.tell import journal
from toy import same, toy

Batch = dict[str, Any]


LADDERS = Keep(snapshot_every=10, proof_replays=0)  # what the plan's ladders do where nothing is replayed


def with_nan(batch: Batch) -> Batch:
    batch["x"][3, 2] = math.nan
    return batch


def with_huge_target(batch: Batch) -> Batch:
    return {**batch, "y": batch["y"] * 1e5}


def plan_with(code: str, *rungs: Remedy) -> Plan:
    return Plan(detectors=DEFAULT, ladders={**default_plan().ladders, code: Ladder(rungs=rungs, window=50)})


def records(run: Path, kind: str) -> list[dict[str, Any]]:
    return [record for record in journal.read(run) if record["kind"] == kind]


def test_a_healthy_run_is_the_unguarded_one() -> None:
    guarded = toy()
    guarded.train(60)
    bare = toy()  # seeds anew, so dropout draws the same
    for _, batch in zip(range(60), bare.loader, strict=False):
        bare.optimizer.zero_grad()
        off = bare.model(batch["x"]) - batch["y"]
        (off.square().mean() + 0.1 * off.abs().mean()).backward()
        nn.utils.clip_grad_norm_(bare.model.parameters(), 1.0)
        bare.optimizer.step()
        bare.schedule.step()
    for one, other in zip(guarded.weights(), bare.weights(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_row_of_nans_is_quarantined_and_the_rest_of_the_batch_is_used(tmp_path: Path) -> None:
    run = toy(faults={20: with_nan}, run=tmp_path / "run")
    run.train(40)
    run.guard.close()
    (did,) = [record["did"] for record in records(tmp_path / "run", "outcome") if "did" in record]
    assert did["dropped"] == ["20:3"]
    assert did["rows"] == [3]
    assert json.loads((tmp_path / "run/quarantine.jsonl").read_text())["id"] == "20:3"
    assert run.guard.steps == 40
    assert run.guard.tick == 41  # one tick more: the batch was tried again
    assert all(torch.isfinite(weight).all() for weight in run.weights())


def test_a_quarantined_sample_stays_out_of_later_batches() -> None:
    run = toy(faults={3: with_nan})
    run.train(6)
    run.loader.index = 3
    step = run.guard.step(with_nan(next(iter(run.loader))))
    assert step.verdict.move is Move.COMMIT
    assert not step.verdict.findings


def test_a_batch_with_nothing_left_is_passed_over() -> None:
    run = toy()
    run.train(3)
    before = run.weights()
    batch = next(iter(run.loader))
    batch["x"][:] = math.nan
    step = run.guard.step(batch)
    assert step.verdict.move is Move.SKIP
    assert same(before, run.weights())


def test_a_skipped_step_leaves_no_trace() -> None:
    run = toy()
    run.train(12)
    before, rates = run.weights(), run.optimizer.state_dict()
    step = run.guard.step({"x": torch.randn(12, 8), "y": torch.full((12, 1), math.inf)})
    assert step.verdict.move is Move.SKIP
    assert same(before, run.weights())  # BatchNorm's statistics included
    after = run.optimizer.state_dict()
    assert all(torch.equal(after["state"][n]["exp_avg"], rates["state"][n]["exp_avg"]) for n in rates["state"])
    assert run.schedule.last_epoch == run.guard.steps == 12


def test_an_outlier_batch_is_skipped() -> None:
    run = toy(faults={30: with_huge_target})
    run.train(60)
    assert run.guard.tick == 61


def test_a_rewind_restores_everything_and_trains_the_window_again(tmp_path: Path) -> None:
    plan = plan_with("loss.outlier", Remedy(move=Move.REWIND), Remedy(move=Move.SKIP))
    run = toy(faults={33: with_huge_target}, plan=plan, run=tmp_path / "run", keep=LADDERS)
    run.train(50)
    run.guard.close()
    dids = [record["did"] for record in records(tmp_path / "run", "outcome") if "did" in record]
    assert [(did["move"], did["step_before"], did["step_after"]) for did in dids] == [
        ("REWIND", 33, 20),
        ("SKIP", 33, 33),
    ]
    assert dids[0]["again"] == 13
    clean = toy(faults={33: with_huge_target}, keep=LADDERS)  # skips at once: the same steps without the detour
    clean.train(50)
    assert same(run.weights(), clean.weights())


def test_knobs_never_stay_in_the_optimizer_and_a_rewind_does_not_undo_them() -> None:
    slow = Remedy(move=Move.REWIND, knobs=Knobs(lr_scale=0.01), hold=10, ramp=5)
    plan = plan_with("loss.outlier", slow, Remedy(move=Move.SKIP))
    run = toy(faults={33: with_huge_target}, plan=plan, keep=LADDERS)
    seen = []
    for _, batch in zip(range(60), run.loader, strict=False):
        step = run.guard.step(batch)
        (rate,) = run.schedule.get_last_lr()
        assert run.optimizer.param_groups[0]["lr"] == rate
        assert rate == pytest.approx(1e-2 / (1 + run.guard.steps / 50))
        seen.append(step.verdict.knobs.lr_scale)
    assert 0.01 <= min(seen) < 1.0
    assert seen[-1] == 1.0


def test_a_smaller_learning_rate_really_moves_less() -> None:
    plan = plan_with("loss.outlier", Remedy(move=Move.SKIP, knobs=Knobs(lr_scale=1e-6), hold=20))
    run = toy(faults={30: with_huge_target}, plan=plan, keep=LADDERS)
    run.train(30)
    run.guard.step(next(iter(run.loader)))
    before = [parameter.clone() for parameter in run.model.parameters()]
    run.train(35)
    moved = max(float((a - b).detach().abs().max()) for a, b in zip(before, run.model.parameters(), strict=True))
    assert 0 < moved < 1e-6


def test_it_stops_with_the_evidence_when_nothing_helps() -> None:
    def code_fault(batch: Batch) -> dict[str, Tensor]:
        return {"square": model(batch["x"]).square().mean(), "root": (model[0].weight * 0).sum().sqrt()}

    model = nn.Sequential(nn.Linear(8, 1))
    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.1), code_fault)
    with pytest.raises(Derailed, match=r"the gradient of 0\.weight is not finite") as caught:
        for _ in range(30):
            guard.step({"x": torch.randn(4, 8)})
    assert caught.value.verdict.move is Move.HALT
    assert torch.isfinite(model[0].weight).all()


def test_a_component_hidden_behind_nan_to_num_is_found_by_its_gradient() -> None:
    model = nn.Linear(4, 1)
    hide = getattr(torch, "nan" + "_to_num")  # what a user's code does; rerail itself never does

    def hiding(batch: Batch) -> dict[str, Tensor]:
        return {"log": hide((model(batch["x"]) * 0).log().mean())}

    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.1), hiding)
    step = guard.step({"x": torch.randn(4, 4)})
    assert math.isfinite(step.losses["log"])
    assert step.verdict.findings[0].code == "nonfinite.gradient"
    assert step.verdict.move is Move.SKIP


def test_poisoned_weights_are_rewound() -> None:
    run = toy(keep=Keep(snapshot_every=5, probation=3))
    run.train(20)
    with torch.no_grad():
        run.model[0].weight[2, 2] = math.nan
    step = run.guard.step(next(iter(run.loader)))
    assert run.guard.steps == 21 - 20 + 15 + 5  # back to 15, five batches and this one again
    assert step.verdict.move is Move.COMMIT
    assert all(torch.isfinite(weight).all() for weight in run.weights())


@pytest.mark.parametrize("micro", [1, 3])
def test_accumulation_really_enlarges_the_batch(micro: int) -> None:
    def step(parts: int) -> Tensor:
        torch.manual_seed(0)
        model = nn.Linear(3, 1)
        guard = Guard(
            model, torch.optim.SGD(model.parameters(), 0.1), lambda b: {"s": (model(b["x"]) - 1).square().mean()}
        )
        x = torch.randn(12, 3)
        result = guard.step(*({"x": part} for part in x.chunk(parts)))
        assert result.losses["s"] == pytest.approx(result.losses["total"])
        return model.weight.detach().clone()

    torch.testing.assert_close(step(1), step(micro))


def test_commit_serves_a_loop_of_ones_own() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    guard = Guard(model, optimizer, clip_norm=1.0)
    for tick in range(30):
        optimizer.zero_grad()
        loss = (model(torch.randn(8, 3)) * (math.nan if tick == 9 else 1.0)).square().mean()
        loss.backward()
        step = guard.commit(loss=loss, losses={"square": loss})
        assert (step.verdict.move is Move.SKIP) == (tick == 9)
    assert guard.steps == 29
    assert torch.isfinite(model.weight).all()


def test_step_without_losses_says_what_to_do() -> None:
    model = nn.Linear(3, 1)
    with pytest.raises(ValueError, match=r"give losses=\.\.\., or call commit"):
        Guard(model, torch.optim.SGD(model.parameters(), 0.1)).step({})


def test_gradients_are_unscaled_before_they_are_read_and_clipped() -> None:
    norms = []
    for scale in (1.0, 65536.0):
        torch.manual_seed(0)
        model = nn.Linear(3, 1)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        seen: list[float] = []
        guard = Guard(
            model,
            optimizer,
            lambda b, model=model: {"s": model(b["x"]).square().mean()},
            scaler=scaler,
            clip_norm=0.01,
            listeners=[lambda record, seen=seen: _norm(record, seen)],
        )
        before = model.weight.detach().clone()
        guard.step({"x": torch.randn(8, 3)})
        moved = float((model.weight.detach() - before).norm())
        assert 0 < moved < 0.1 * 0.01 * 1.001
        guard.close()
        norms += seen
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def _norm(record: dict[str, Any], seen: list[float]) -> None:
    if record["kind"] == "reading":
        seen.append(record["values"]["grad/norm"])


def test_an_overflow_halves_the_loss_scale_and_a_skip_for_another_reason_does_not() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    losses = {"s": lambda b: model(b["x"]).square().mean() * b["factor"]}
    guard = Guard(
        model,
        torch.optim.SGD(model.parameters(), 0.01),
        lambda b: {name: one(b) for name, one in losses.items()},
        scaler=scaler,
    )
    step = guard.step({"x": torch.randn(8, 3) * 10, "factor": torch.tensor(1.0)})
    assert step.verdict.findings[0].code == "scale.overflow"
    assert scaler.get_scale() == 2.0**126
    small = torch.amp.GradScaler("cpu", init_scale=8.0)
    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.01), lambda b: {"s": losses["s"](b)}, scaler=small)
    guard.step({"x": torch.randn(8, 3), "factor": torch.tensor(math.nan)})
    assert small.get_scale() == 8.0


def test_full_precision_is_a_knob() -> None:
    model = nn.Linear(4, 1)
    seen = []

    def losses(batch: Batch) -> dict[str, Tensor]:
        out = model(batch["x"])
        seen.append(out.dtype)
        return {"big": (out.float().abs() * 0 + (torch.ones(2, 2) * 300) @ (torch.ones(2, 2) * 300)).float().sum()}

    plan = plan_with("nonfinite", Remedy(move=Move.SKIP, knobs=Knobs(precision=Precision.FP32), hold=3))
    guard = Guard(
        model, torch.optim.SGD(model.parameters(), 0.01), losses, precision=torch.float16, plan=plan, keep=LADDERS
    )
    moves = [guard.step({"x": torch.randn(2, 4)}).verdict.move.name for _ in range(4)]
    assert moves == ["SKIP", "COMMIT", "COMMIT", "COMMIT"]
    assert seen == [torch.float16, torch.float32, torch.float32, torch.float32]


def test_the_journal_replays_to_the_same_verdicts(tmp_path: Path) -> None:
    faults = {12: with_nan, 30: with_huge_target, 45: with_huge_target, 46: with_huge_target, 47: with_huge_target}
    run = toy(faults=faults, run=tmp_path / "run", keep=Keep(snapshot_every=5, probation=3))
    run.train(90)
    run.guard.close()
    told = {record["tick"]: record for record in records(tmp_path / "run", "verdict")}
    proved = {record["tick"]: record for record in records(tmp_path / "run", "remedy") if record.get("proved")}
    moves = []
    for lived in relive(default_plan(), start(default_plan()), journal.read(tmp_path / "run")):
        verdict = lived.settled
        moves.append(verdict.move)
        expected = proved.get(verdict.tick) or told.get(verdict.tick)
        assert verdict.plain == (expected is None)
        if expected:
            assert verdict.move.name == expected["move"]
            assert plain.dump(verdict.findings) == told[verdict.tick]["findings"]
    assert {Move.SKIP, Move.COMMIT} <= set(moves)
    assert proved


def test_the_verdict_is_written_before_it_is_acted_on(tmp_path: Path) -> None:
    run = toy(faults={12: with_huge_target}, run=tmp_path / "run")
    run.train(20)
    run.guard.close()
    kinds = [record["kind"] for record in journal.read(tmp_path / "run") if record["tick"] == 13]
    assert kinds[:4] == ["reading", "verdict", "remedy", "remedy"]
    first = kinds.index("cause")
    assert {*kinds[4:first]} == {"trial"}
    assert kinds[first + 1] == "remedy"
    assert kinds[-1] == "outcome"


def test_an_outcome_follows_each_intervention(tmp_path: Path) -> None:
    run = toy(faults={20: with_nan}, run=tmp_path / "run")
    run.train(60)
    run.guard.close()
    (after,) = [record for record in records(tmp_path / "run", "outcome") if "after" in record]
    assert after["of"] == 21
    assert after["recovered"] is True
    assert after["before"]["loss/total"] > 0


def test_dear_sensors_run_on_a_schedule(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=Keep(sensors_every=10))
    run.train(25)
    run.guard.close()
    ticks = {
        name: [r["tick"] for r in records(tmp_path / "run", "reading") if name in r["values"]]
        for name in ("weight/norm", "update/ratio", "grad/norm/0", "grad/rms/first", "act/rms/2")
    }
    assert ticks["weight/norm"] == ticks["grad/rms/first"] == ticks["act/rms/2"] == [1, 10, 20]
    assert ticks["update/ratio"] == [2, 11, 21]
    assert ticks["grad/norm/0"] == list(range(1, 26))


def test_weights_for_a_loss_that_is_not_there_are_refused() -> None:
    run = toy(weights={"absolut": 0.1})
    with pytest.raises(ValueError, match=r"weights for unknown losses \['absolut'\]; the first step gives: "):
        run.train(1)


def test_a_model_that_is_not_finite_is_refused_at_once() -> None:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.bias, math.nan)
    with pytest.raises(ValueError, match="not finite before the first step"):
        Guard(model, torch.optim.SGD(model.parameters(), 0.1))


def test_the_public_names_are_those_that_are_documented() -> None:
    assert set(rerail.__all__) == {
        "Check", "Derailed", "Guard", "Keep", "Losses", "Picture", "Plan", "Requests", "Sound", "Step", "__version__",
        "examine",
    }  # fmt: skip


def test_a_list_is_one_batch_and_arguments_are_micro_batches() -> None:
    model = nn.Linear(3, 1)
    seen: list[Any] = []

    def losses(batch: list[Tensor]) -> Tensor:
        seen.append(batch)
        return (model(batch[0]) - batch[1]).square().mean()

    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.1), losses)
    pair = [torch.randn(4, 3), torch.randn(4, 1)]
    guard.step(pair)
    assert seen == [pair]
    guard.step(pair, pair)
    assert len(seen) == 3
    assert guard.steps == 2


def test_an_error_in_the_users_code_comes_through_and_leaves_no_trace() -> None:
    run = toy()
    run.train(5)
    before = run.weights()
    with pytest.raises(KeyError, match="y"):
        run.guard.step({"x": torch.randn(12, 8)})
    assert same(before, run.weights())
    run.train(8)
    assert run.guard.steps == run.guard.tick == 8


def test_a_fresh_zero_loss_in_place_of_a_nan_is_noticed() -> None:
    run = toy()
    guard = Guard(run.model, run.optimizer, lambda _: {"mel": torch.zeros((), requires_grad=True)})
    codes = [found.code for _ in range(5) for found in guard.step(torch.randn(4, 8)).verdict.findings]
    assert codes == ["gradient.zero"]


def test_a_schedule_that_needs_a_metric_is_refused_with_the_way_out() -> None:
    run = toy()
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(run.optimizer)
    with pytest.raises(ValueError, match=r"name it in state=\[\.\.\.\], and call its step\(\) yourself"):
        Guard(run.model, run.optimizer, scheduler=plateau)
