"""Replays are exact, and the live run never notices them."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rerail.guard import Guard, Keep
from rerail.prove import prover
from rerail.tell import journal
from toy import proofs, same, toy

OFTEN = Keep(snapshot_every=5, probation=3)


def nan_rows(batch: dict[str, Any]) -> dict[str, Any]:
    x = batch["x"].clone()
    x[3], x[7, 0] = math.nan, math.inf
    return {**batch, "x": x}


def test_the_unchanged_replay_gives_the_live_steps_very_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    run = toy(faults={30: nan_rows}, keep=OFTEN)  # with dropout and BatchNorm
    run.train(40)
    (proof,) = made
    assert proof.trials[0].exact is True
    assert proof.cause.exact
    assert proof.cause.rows == (3, 7)
    assert proof.cause.samples == ("30:3", "30:7")
    assert proof.replays <= 20 + 4 * math.log2(12)


def test_a_proof_leaves_no_trace_in_the_run() -> None:
    proved, plain = (
        toy(faults={30: nan_rows}, keep=Keep(snapshot_every=5, probation=3, proof_replays=replays))
        for replays in (20, 0)
    )
    states = []
    for run in (proved, plain):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 (what users' code draws from)
        run.train(40)
        drawn = (torch.rand(3).tolist(), random.random(), np.random.rand())  # noqa: NPY002
        states.append((run.weights(), run.optimizer.state_dict()["state"], run.schedule.state_dict(), drawn))
    (weights, moments, schedule, drawn), other = states[0], states[1]
    assert same(weights, other[0])
    assert all(torch.equal(moments[one][name], other[1][one][name]) for one in moments for name in moments[one])
    assert schedule == other[2]
    assert drawn == other[3]


class Counting(nn.Module):
    """Draws from a generator of its own, and is hooked."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.noise = torch.Generator().manual_seed(3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        out: Tensor = self.layer(x + 0.1 * torch.randn(x.shape, generator=self.noise))
        return out


@pytest.mark.parametrize("compiled", [False, True])
def test_own_generators_buffers_hooks_gradients_and_modes_are_put_back(*, compiled: bool) -> None:
    torch.manual_seed(0)
    model = Counting()
    model.layer.eval()
    seen = model.layer.register_forward_hook(lambda *_: None)
    network = torch.compile(model, backend="eager") if compiled else model
    guard = Guard(
        model,
        torch.optim.SGD(model.parameters(), 0.01),
        lambda batch: network(batch["x"]).square().mean() * batch["factor"].mean(),
        keep=OFTEN,
    )
    for _ in range(12):
        guard.step({"x": torch.randn(6, 4), "factor": torch.ones(6)})
    noise, calls = model.noise.get_state(), float(model.calls)
    bad = torch.ones(6)
    bad[2] = math.nan
    guard.step({"x": torch.randn(6, 4), "factor": bad, "id": list("abcdef")})
    assert guard._quarantine.ids == {"c"}
    assert float(model.calls) == calls + 1  # the step without the row; neither the failed one nor any replay
    fresh = torch.Generator()
    fresh.set_state(noise)
    torch.randn(6, 4, generator=fresh)  # the failed step drew as well
    torch.randn(5, 4, generator=fresh)
    assert torch.equal(fresh.get_state(), model.noise.get_state())
    assert not model.layer.training
    assert model.training
    assert seen.id in model.layer._forward_hooks


def test_an_error_of_the_users_code_in_a_replay_is_told_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    model = nn.Linear(4, 1)

    def losses(batch: dict[str, Any]) -> Tensor:
        if len(batch["x"]) not in (5, 6):
            raise RuntimeError("this loss wants five or six rows")
        return model(batch["x"]).square().mean()

    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.01), losses, keep=OFTEN)
    for _ in range(12):
        guard.step({"x": torch.randn(6, 4)})
    x = torch.randn(6, 4)
    x[5, 0] = math.nan
    guard.step({"x": x, "id": list("abcdef")})
    (proof,) = made
    assert proof.cause.samples == ("f",)
    assert guard._quarantine.ids == {"f"}


def test_a_draw_that_brings_a_formula_to_its_edge_is_told_from_rows_and_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = proofs(monkeypatch)
    model = nn.Linear(4, 1)

    def losses(batch: dict[str, Any]) -> Tensor:
        gate = torch.rand(1) < 0.03  # now and then nothing is left of the batch
        kept = torch.where(gate, torch.zeros(6, 1), torch.ones(6, 1))
        return (model(batch["x"]).square() * kept).sum() / kept.sum()

    torch.manual_seed(0)
    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.01), losses, keep=OFTEN)
    for _ in range(120):
        guard.step({"x": torch.randn(6, 4), "id": list("abcdef")})
    assert made
    assert all(proof.cause.rows == () for proof in made)
    assert all(proof.remedy.again for proof in made)
    assert guard.steps == 120
    assert guard._quarantine.ids == set()


def test_an_error_of_the_proof_itself_is_told_and_the_ladder_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(prover, "prove", broken)
    run = toy(faults={30: nan_rows}, keep=OFTEN, run=tmp_path / "run")
    run.train(40)
    run.guard.close()
    (note,) = [one for one in journal.read(tmp_path / "run") if one.get("text") == "proof failed"]
    assert note["data"]["error"] == "ZeroDivisionError: a mistake of ours"
    assert run.guard.steps == 40


def test_sparse_gradients_are_replayed_and_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    torch.manual_seed(0)
    model = nn.ModuleDict({"words": nn.Embedding(20, 4, sparse=True), "head": nn.Linear(4, 1)})

    def losses(batch: dict[str, Any]) -> Tensor:
        return (model["head"](model["words"](batch["words"]).sum(1)) * batch["on"]).abs().sum(1).sqrt().mean()

    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.01), losses, keep=OFTEN)
    for step in range(20):
        on = torch.ones(6, 1)
        on[4] = float(step != 14)
        guard.step({"words": torch.randint(20, (6, 3)), "on": on, "id": list("abcdef")})
    (proof,) = made
    assert proof.cause.samples == ("e",)
    assert proof.cause.operation.node.startswith("Sqrt")
    assert guard.steps == 20
