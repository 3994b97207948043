from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from rerail.act import wreck
from rerail.act.state import Parts, capture
from toy import network

CLIP = 1.0


def trained(optimizer_kind: type[torch.optim.Optimizer] = torch.optim.Adam, steps: int = 60) -> dict[str, Any]:
    """A state after honest steps, some of them with a gradient a thousand times the usual."""
    torch.manual_seed(0)
    model = network()
    optimizer = optimizer_kind(model.parameters(), lr=1e-2)  # type: ignore[call-arg]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0 / (1 + step))
    for step in range(steps):
        optimizer.zero_grad()
        x = torch.randn(12, 8) * (1000.0 if step % 20 == 19 else 1.0)
        (model(x) - x.sum(1, keepdim=True)).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
    state = capture(Parts(model=model, optimizers=[optimizer], others=[schedule]))
    return {**state, "kinds": [optimizer_kind.__name__]}


NAMES = [name for name, _ in network().named_parameters()]


def codes(state: dict[str, Any], reference: dict[str, Tensor] | None = None) -> set[str]:
    return {one.code for one in wreck.examine(state, names=NAMES, reference=reference, clip_norm=CLIP)}


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.SGD])
def test_nothing_is_wrong_with_honest_training(kind: type[torch.optim.Optimizer]) -> None:
    fresh = {name: one.detach() for name, one in network().named_parameters()}
    for steps in (1, 2, 60):
        assert codes(trained(kind, steps), fresh) == set()


def moments(state: dict[str, Any]) -> list[dict[str, Tensor]]:
    return list(state["optimizers"][0]["state"].values())


def nan_weight(state: dict[str, Any]) -> None:
    state["model"]["0.weight"][2, 3] = math.nan


def swollen(state: dict[str, Any]) -> None:
    state["model"]["0.weight"] *= 100


def nan_statistics(state: dict[str, Any]) -> None:
    state["model"]["1.running_var"][0] = math.inf


def nan_moment(state: dict[str, Any]) -> None:
    moments(state)[0]["exp_avg"][0, 0] = math.nan


def negative(state: dict[str, Any]) -> None:
    moments(state)[0]["exp_avg_sq"][0, 0] = -1e-3


def exploded(state: dict[str, Any]) -> None:
    for one in moments(state):
        one["exp_avg_sq"] *= 1e12


def emptied(state: dict[str, Any]) -> None:
    moments(state)[0]["exp_avg_sq"] *= 1e-12


def pushed(state: dict[str, Any]) -> None:
    moments(state)[0]["exp_avg"] *= 1e5


def nan_rate(state: dict[str, Any]) -> None:
    state["optimizers"][0]["param_groups"][0]["lr"] = math.nan


def nan_schedule(state: dict[str, Any]) -> None:
    state["others"][0]["base_lrs"] = [math.nan]


WRECKS = [
    (nan_weight, "weights.nonfinite", "0.weight"),
    (nan_statistics, "weights.nonfinite", "1.running_var"),
    (swollen, "weights.far", "0.weight"),
    (nan_moment, "optimizer.nonfinite", "0.weight"),
    (negative, "optimizer.negative", "0.weight"),
    (exploded, "optimizer.exploded", ""),
    (emptied, "optimizer.impossible", "0.weight"),
    (pushed, "optimizer.impossible", "0.weight"),
    (nan_rate, "settings.nonfinite", "optimizers.0.0.lr"),
    (nan_schedule, "settings.nonfinite", "others.0.base_lrs.0"),
]


@pytest.mark.parametrize(("spoil", "code", "where"), WRECKS, ids=[one[0].__name__ for one in WRECKS])
def test_each_damage_is_named_with_its_place(spoil: Any, code: str, where: str) -> None:
    state = trained()
    reference = {name: one.clone() for name, one in state["model"].items()}
    spoil(state)
    found = wreck.examine(state, names=NAMES, reference=reference, clip_norm=CLIP)
    assert {one.code for one in found} == {code}
    assert where in {one.where for one in found}


def test_numbers_that_are_rightly_infinite_or_small_are_none() -> None:
    state = trained()
    state["others"].append({"best": math.inf})  # ReduceLROnPlateau begins so
    for one in moments(state):
        one["exp_avg"].fill_(1e-30)
        one["exp_avg_sq"].zero_()  # the square of such a gradient is no number of single precision
    assert codes(state) == set()


def test_the_bound_on_the_first_moment_is_reached_and_not_passed() -> None:
    betas = (0.9, 0.999)
    first = second = 0.0
    for age in reversed(range(200)):  # the gradients that Cauchy's inequality is an equality for
        gradient = (betas[0] / betas[1]) ** age
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient**2
    assert first / math.sqrt(second) == pytest.approx(wreck.steepest(betas), rel=1e-3)
    assert wreck.steepest((0.999, 0.9)) == math.inf
