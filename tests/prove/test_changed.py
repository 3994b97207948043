"""Runs that change on the way: settings, signs, states, rows that no code can take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from regression import OFTEN, batches, guarded
from rerail.core.cause import Kind
from rerail.guard import Derailed, Guard
from rerail.tell import journal
from toy import proofs


@pytest.mark.parametrize(
    ("setting", "wrong", "kind"), [("weight_decay", 30.0, Kind.OPTIMIZER), ("betas", (0.9999, 0.999), Kind.STEP_SIZE)]
)
def test_a_setting_of_the_optimizer_that_was_changed_is_held_as_it_was(
    monkeypatch: pytest.MonkeyPatch, setting: str, wrong: Any, kind: Kind
) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(150)):
        if index >= 60:
            guard.optimizers[0].param_groups[0][setting] = wrong
        last = guard.step(batch)
    assert made
    assert made[0].cause.kind is kind
    assert sum(last.losses.values()) < 1.0


def test_a_loss_whose_sign_is_turned_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    sign = [1.0]

    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return sign[0] * functional.mse_loss(model(batch["x"]), batch["y"])

    guard = guarded(losses)
    with pytest.raises(Derailed) as stopped:
        for index, batch in enumerate(batches(100)):
            sign[0] = -1.0 if index >= 60 else 1.0
            guard.step(batch)
    assert stopped.value.cause is not None
    assert (stopped.value.cause.kind, len(made)) == (Kind.CODE, 1)
    assert guard.tick <= 64


def test_gradients_that_are_carried_over_are_told_by_running_the_step_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    on = [False]
    guard = guarded()
    for parameter in guard.model.parameters():
        kept = torch.zeros_like(parameter)

        def add_up(gradient: Tensor, kept: Tensor = kept) -> Tensor:
            return kept.add_(gradient).clone() if on[0] else gradient

        parameter.register_hook(add_up)
    with pytest.raises(Derailed):
        for index, batch in enumerate(batches(200)):
            on[0] = index >= 60
            guard.step(batch)
    assert made[-1].cause.kind is Kind.CODE
    assert "carried over" in made[-1].cause.why[0]


def test_a_loss_without_any_gradient_stops_the_run_after_fifty_steps() -> None:
    def losses(model: nn.Module, batch: dict[str, Any]) -> Tensor:
        return functional.mse_loss(model(batch["x"]), batch["y"]).detach() + 0 * model[0].weight.sum()

    guard = guarded(losses)
    with pytest.raises(Derailed, match="no gradient reaches any weight"):
        for batch in batches(100):
            guard.step(batch)
    assert guard.tick == 50


def test_a_row_in_another_unit_is_kept_out_of_the_statistics_of_a_normalisation() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 1))
    guard = Guard(
        model,
        torch.optim.Adam(model.parameters(), 1e-2),
        lambda batch: functional.mse_loss(model(batch["x"]), batch["y"]),
    )
    for index, batch in enumerate(batches(60)):
        if index == 40:
            batch["x"][3] *= 1e6
        guard.step(batch)
    assert guard.steps == 60
    assert guard._quarantine.ids == {"40:3"}
    assert float(model[0].running_var.max()) < 10


def test_statistics_that_are_not_finite_are_seen_and_put_back() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    guard = Guard(
        model,
        torch.optim.Adam(model.parameters(), 1e-2),
        lambda batch: functional.mse_loss(model(batch["x"]), batch["y"]),
    )
    for index, batch in enumerate(batches(80)):
        if index == 51:
            model[1].running_mean[0] = math.nan
        guard.step(batch)
    assert torch.isfinite(model[1].running_mean).all()
    assert guard.steps == 80


def test_a_weight_whose_bits_flipped_is_put_back_though_few_rows_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(90)):
        if index == 62:
            with torch.no_grad():
                weight = guard.model[2].weight
                weight.view(torch.int32)[0, 3] ^= 1 << 30
                assert float(weight.abs().max()) > 1e30
        if index in (62, 63, 64):
            batch["x"] = -batch["x"].abs()  # the unit before the weight is silent for a while
        guard.step(batch)
    assert Kind.WEIGHTS in [proof.cause.kind for proof in made]
    assert float(guard.model[2].weight.detach().abs().max()) < 10
    assert guard.steps >= 85


def test_bad_rows_in_batch_after_batch_never_use_the_ladders_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = proofs(monkeypatch)
    guard = guarded()
    for index, batch in enumerate(batches(120)):
        if index >= 60:
            batch["x"][:4] *= 60.0  # far, and a loss far off: its ladder ends in going on
        guard.step(batch)
    assert {proof.cause.kind for proof in made} <= {Kind.DATA, Kind.TOXIC, Kind.LEVEL}
    assert all(torch.isfinite(one).all() for one in guard.model.parameters())
    x = torch.randn(64, 8, generator=torch.Generator().manual_seed(9))
    assert float(functional.mse_loss(guard.model(x).detach(), x.sum(1, keepdim=True))) < 1.0


def classes(bad_labels: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001
    generator = torch.Generator().manual_seed(0)
    for index in range(60):
        x = torch.randn(12, 8, generator=generator)
        y = (x.sum(1) > 0).long()
        if index == 30:
            y[[2, 9]] = 1000
        if bad_labels and index > 40:
            y[:] = 1000
        yield {"id": [f"{index}:{row}" for row in range(12)], "x": x, "y": y}


def classifier(**more: Any) -> Guard:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    return Guard(
        model,
        torch.optim.Adam(model.parameters(), 1e-2),
        lambda batch: functional.cross_entropy(model(batch["x"]), batch["y"]),
        **{"keep": OFTEN, **more},
    )


def test_rows_with_which_the_code_raises_an_error_are_left_out(tmp_path: Any) -> None:
    guard = classifier(run=tmp_path / "run")
    for batch in classes(bad_labels=False):
        guard.step(batch)
    assert guard.steps == 60
    assert guard._quarantine.ids == {"30:2", "30:9"}
    guard.close()
    records = list(journal.read(tmp_path / "run"))
    (cause,) = [one for one in records if one["kind"] == "cause"]
    assert cause["cause"] == "data"


def test_an_error_with_every_batch_is_the_users_own() -> None:
    guard = classifier()
    with pytest.raises(IndexError, match="out of bounds"):
        for batch in classes(bad_labels=True):
            guard.step(batch)
    assert guard.steps == 41


def test_an_error_with_every_row_of_a_batch_is_raised_and_leaves_no_trace() -> None:
    guard = guarded()
    for batch in batches(20):
        guard.step(batch)
    before = [one.clone() for one in guard.model.parameters()]
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        guard.step({"id": list("abc"), "x": torch.zeros(3, 5), "y": torch.zeros(3, 1)})
    assert all(torch.equal(one, then) for one, then in zip(guard.model.parameters(), before, strict=True))
    guard.step(next(batches(1)))
    assert guard.steps == 21
