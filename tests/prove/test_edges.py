"""Runs that a proof must not mistake for something else: chance, other clocks, reused buffers, two faults at once."""

from __future__ import annotations

import math
import random
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from regression import batches, guarded
from rerail.core.cause import Kind
from rerail.core.knobs import Precision
from rerail.core.remedy import Move
from rerail.guard import Derailed, Guard, Keep
from rerail.prove import prover
from rerail.sense.losses import Losses
from toy import proofs


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_a_loss_that_fails_by_a_draw_of_its_own_is_tried_again_and_never_halts(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    made = proofs(monkeypatch)
    own = torch.Generator().manual_seed(0)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        bad = math.nan if torch.rand(1, generator=own) < share else 0.0
        return functional.mse_loss(model(batch["x"]), batch["y"]) + bad

    guard = guarded(losses)
    for batch in batches(150):
        guard.step(batch)
    named = [proof.cause.kind for proof in made]
    assert named.count(Kind.TRANSIENT) >= 0.9 * len(named) > 0
    assert not any(proof.cause.exact for proof in made if proof.cause.kind is Kind.TRANSIENT)
    assert guard.steps >= 145


def test_a_component_of_weight_0_may_grow_as_it_likes() -> None:
    def losses(model: nn.Module, batch: dict[str, Any]) -> dict[str, Tensor]:
        made = model(batch["x"])
        return {"fit": functional.mse_loss(made, batch["y"]), "size": made.square().mean().exp()}

    guard = guarded(losses, weights={"size": 0.0})
    moves = {guard.step(batch).verdict.move for batch in batches(100)}
    assert moves == {Move.COMMIT}


def test_a_loader_that_fills_the_same_tensors_again_is_not_replayed_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    kept: dict[str, Any] = {"x": torch.zeros(12, 8), "y": torch.zeros(12, 1)}
    for index, batch in enumerate(batches(60)):
        for name, tensor in kept.items():
            tensor.copy_(batch[name])
        if index == 40:
            kept["x"][3] = math.nan
        guard.step({**kept, "id": batch["id"]})
    (proof,) = made
    assert (proof.cause.kind, proof.cause.samples) == (Kind.DATA, ("40:3",))
    assert guard.steps == 60


def test_a_learning_rate_set_by_hand_is_capped_not_chased(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    (group,) = guard.optimizers[0].param_groups
    for index, batch in enumerate(batches(120)):
        group["lr"] = 30.0 if index >= 50 else 1e-2
        guard.step(batch)
    (proof,) = made
    assert proof.cause.kind is Kind.STEP_SIZE
    assert proof.remedy.knobs.lr_most == 1e-2
    assert guard.optimizers[0].param_groups[0] is group  # what the user's loop holds goes on to count


def test_poisoned_weights_and_a_bad_row_at_once_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(60)):
        if index == 40:
            batch["x"][3] = math.nan
            with torch.no_grad():
                next(guard.model.parameters())[0, 0] = math.nan
        guard.step(batch)
    assert [proof.cause.kind for proof in made] == [Kind.WEIGHTS, Kind.DATA]
    assert made[1].cause.samples == ("40:3",)
    assert guard.steps == 60


@pytest.mark.parametrize(("lasts", "halts"), [(1, False), (60, True)])
def test_code_that_fails_with_every_batch_stops_the_run_only_where_it_goes_on(lasts: int, *, halts: bool) -> None:
    calls = iter(range(10_000))

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        now = torch.tensor(0.0 if 40 <= step[0] < 40 + lasts else 1.0)
        return functional.mse_loss(model(batch["x"]), batch["y"]) + now / now

    step = [next(calls)]
    guard = guarded(losses)
    with pytest.raises(Derailed) if halts else nullcontext() as stopped:
        for batch in batches(60):
            guard.step(batch)
            step[0] = next(calls)
    assert guard.steps == (40 if halts else 59)
    if stopped is not None:
        cause = stopped.value.cause
        assert (cause.kind, cause.operation.name) == (Kind.CODE, "div")


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_sparse_tensors_in_a_batch_neither_stop_a_proof_nor_leave_a_trace(
    monkeypatch: pytest.MonkeyPatch, layout: torch.layout
) -> None:
    made = proofs(monkeypatch)
    graph = torch.eye(20).to_sparse(layout=layout)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return functional.mse_loss(model(batch["x"]), batch["y"]) + 0 * (batch["graph"] @ torch.ones(20, 1)).sum()

    guard = guarded(losses)
    for index, batch in enumerate(batches(30)):
        if index == 20:
            batch["x"][3] = math.nan
        guard.step({**batch, "graph": graph})
    (proof,) = made
    assert proof.cause.samples == ("20:3",)
    assert not torch.is_anomaly_enabled()


def test_a_failed_proof_tells_no_older_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(50)):
        if index == 20:
            batch["x"][3] = math.nan
        guard.step(batch)
    assert len(made) == 1
    monkeypatch.setattr(prover, "prove", broken)
    with pytest.raises(Derailed) as stopped:
        for batch in batches(200):
            batch["y"][:] = 1e30  # its square overflows
            guard.step(batch)
    assert stopped.value.cause is None


def test_an_edge_of_range_is_kept_alive_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        wide = torch.exp(torch.tensor(100.0) if 30 <= step[0] < 40 else torch.tensor(1.0))  # past single precision
        return functional.mse_loss(model(batch["x"]), batch["y"]) * (wide / wide)

    step = [0]
    guard = guarded(losses)
    for batch in batches(60):
        guard.step(batch)
        step[0] += 1
    assert [(one.cause.kind, one.remedy.knobs.precision) for one in made] == [(Kind.CODE, Precision.DOUBLE)]
    assert "in double precision this step is healthy" in made[0].cause.why[-1]
    assert guard.steps == 60
    assert {one.dtype for one in guard.model.parameters()} == {torch.float32}


def test_a_signal_that_is_not_finite_says_nothing_about_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Losses:
        fit = functional.mse_loss(model(batch["x"]), batch["y"])
        return Losses(fit=fit, signals={"accuracy": torch.tensor(math.nan)})

    guard = guarded(losses)
    for index, batch in enumerate(batches(90)):
        guard.optimizers[0].param_groups[0]["lr"] = 5.0 if 50 <= index < 54 else 1e-2
        guard.step(batch)
    assert made[0].cause.kind is Kind.STEP_SIZE
    assert Kind.TRANSIENT not in [one.cause.kind for one in made]


def test_a_frozen_part_without_an_optimizer_keeps_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    torch.manual_seed(0)
    trunk, head = nn.Linear(8, 16), nn.Linear(16, 1)
    model = nn.Sequential(trunk, nn.ReLU(), head)
    guard = Guard(
        model,
        torch.optim.Adam(head.parameters(), 1e-2),  # the trunk is not frozen, only left out
        lambda batch: functional.mse_loss(model(batch["x"]), batch["y"]),
        clip_norm=1.0,
    )
    norms = []
    for index, batch in enumerate(batches(60)):
        if index == 30:
            batch["x"][3] = math.nan
        step = guard.step(batch)
        own = torch.nn.utils.get_total_norm([one.grad for one in head.parameters()])
        norms.append(float(own))
        assert step.verdict.move is Move.COMMIT
    assert [one.cause.samples for one in made] == [("30:3",)]
    assert guard.steps == 60
    assert max(norms) <= 1.0 + 1e-5


def test_a_rate_lowered_by_hand_stays_low_after_a_rewind() -> None:
    guard = guarded()
    (group,) = guard.optimizers[0].param_groups
    for index, batch in enumerate(batches(60)):
        if index == 30:
            group["lr"] = 1e-3
        if index == 33:
            with torch.no_grad():
                next(guard.model.parameters())[0, 0] = math.nan
        guard.step(batch)
    assert group["lr"] == 1e-3
    assert guard.tick > 60  # it was rewound


def test_an_error_in_a_replay_blames_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return functional.mse_loss(model(batch["x"].reshape(12, 8)), batch["y"].reshape(12, 1))

    guard = guarded(losses)
    for index, batch in enumerate(batches(60)):
        if index == 40:
            batch["x"][3] = math.nan
        guard.step(batch)
    (proof,) = made
    assert (proof.cause.kind, proof.cause.rows) == (Kind.DATA, ())
    assert guard._quarantine.ids == set()
    assert guard.steps == 59


def test_many_bad_rows_are_named_without_trying_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(40, rows=256)):
        if index == 30:
            batch["x"][::4] = math.nan
        guard.step(batch)
    (proof,) = made
    assert proof.cause.rows == tuple(range(0, 256, 4))
    assert proof.replays <= 20


def test_a_formula_that_fails_in_every_batch_is_proved_at_length_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return functional.mse_loss(model(batch["x"]), batch["y"]) + (model(batch["x"]) * batch["z"]).sqrt().mean()

    def plain(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return losses(model, batch) if "z" in batch else functional.mse_loss(model(batch["x"]), batch["y"])

    guard = guarded(plain)
    for index, batch in enumerate(batches(60)):
        if index >= 20:
            batch["z"] = guard.model(batch["x"]).detach().sign()
            batch["z"][5] = 0.0  # the square root's slope at 0
        guard.step(batch)
    assert {one.cause.kind for one in made} == {Kind.CODE}
    assert [one.cause.repeated for one in made] == [False] + (len(made) - 1) * [True]
    assert all(one.steps <= 5 for one in made[1:])
    assert guard._quarantine.ids == {"20:5"}
    assert guard.steps == 60


def test_counters_and_generators_of_modules_are_put_back() -> None:
    class Annealed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 1)
            self.calls = 0
            self.numpy = np.random.default_rng(0)
            self.python = random.Random(0)

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            noise = self.numpy.normal() + self.python.random()
            made: Tensor = self.layer(x) * (1 + noise / (100 + self.calls))
            return made

    counted = []
    for replays in (20, 0):
        torch.manual_seed(0)
        model = Annealed()
        guard = Guard(
            model,
            torch.optim.SGD(model.parameters(), 1e-2),
            lambda batch, model=model: functional.mse_loss(model(batch["x"]), batch["y"]),
            keep=Keep(proof_replays=replays),
        )
        for index, batch in enumerate(batches(40)):
            if index == 30:
                batch["x"][3] = math.nan
            guard.step(batch)
        counted.append((model.calls, model.numpy.normal(), model.python.random(), model.layer.weight.tolist()))
    assert counted[0] == counted[1]


def test_wide_optimizer_state_of_narrow_weights_is_kept_wide() -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 1).to(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9)
    guard = Guard(
        model,
        optimizer,
        lambda batch: functional.mse_loss(model(batch["x"].bfloat16()), batch["y"].bfloat16()),
    )
    for index, batch in enumerate(batches(30)):
        for state in optimizer.state.values():
            state["master"] = torch.full((3,), 1 / 3)
        if index == 20:
            batch["x"][3] = math.nan
        guard.step(batch)
    assert all(torch.equal(state["master"], torch.full((3,), 1 / 3)) for state in optimizer.state.values())
