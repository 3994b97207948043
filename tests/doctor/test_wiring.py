from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any


class WithUnused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(8, 5), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.used(x)
        return out


def test_a_parameter_without_a_gradient_is_named(look: Look) -> None:
    check = look(WithUnused(), seconds=0)["gradients arrive"]
    assert check.passed is False
    assert check.told == "none for unused.weight, unused.bias"


def test_a_frozen_one_need_not_have_any(look: Look) -> None:
    model = WithUnused()
    model.unused.requires_grad_(False)
    checks = look(model, seconds=0)
    assert checks["gradients arrive"].passed
    assert checks["optimizer has all parameters"].passed


def test_a_gradient_that_is_not_finite_is_named(look: Look) -> None:
    model = nn.Linear(8, 5)
    model.bias.data.zero_()

    def rooted(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"]), given["label"]) + model.bias.abs().sqrt().sum()

    check = look(model, rooted, seconds=0)["gradients arrive"]
    assert check.passed is False
    assert check.told == "not finite for bias"


def test_a_layer_replaced_after_the_optimizer_was_made_is_named(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 5))
    optimizer = torch.optim.Adam(model.parameters())
    model[1] = nn.Linear(8, 5)
    check = look(model, None, optimizer, seconds=0)["optimizer has all parameters"]
    assert check.passed is False
    assert check.told == "not 1.weight, 1.bias"


def test_a_parameter_in_two_optimizers_is_named(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 5))
    both = [torch.optim.Adam(model.parameters()), torch.optim.SGD(model[1].parameters(), 0.1)]
    check = look(model, None, both, seconds=0)["each parameter in one group"]
    assert check.passed is False
    assert check.told == "twice: 1.weight, 1.bias"


def test_two_optimizers_for_two_parts_are_fine(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 5))
    both = [torch.optim.Adam(model[0].parameters()), torch.optim.SGD(model[1].parameters(), 0.1)]
    checks = look(model, None, both, seconds=0)
    assert checks["each parameter in one group"].passed
    assert checks["optimizer has all parameters"].passed
    assert checks["a step moves them"].passed


def test_a_warm_up_from_zero_is_no_fault(look: Look) -> None:
    model = nn.Linear(8, 5)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 10))
    check = look(model, None, optimizer, scheduler=schedule, seconds=0)["a step moves them"]
    assert check.passed
    assert check.seen["lr"] == pytest.approx(0.1)
    assert optimizer.param_groups[0]["lr"] == 0


def test_a_schedule_with_an_end_is_looked_through(look: Look) -> None:
    model = nn.Linear(8, 5)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=20)
    check = look(model, None, optimizer, scheduler=schedule, seconds=0)["a step moves them"]
    assert check.seen["lr"] == pytest.approx(0.5, rel=0.05)


def test_weights_that_round_the_step_off_are_named(look: Look) -> None:
    model = nn.Linear(8, 5).to(torch.bfloat16)
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.bias.fill_(1.0)

    def losses(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"].bfloat16()).float(), given["label"])

    check = look(model, losses, torch.optim.SGD(model.parameters(), 1e-4), seconds=0)["a step moves them"]
    assert check.passed is False
    assert check.told == "not weight, bias"


def deep(activation: nn.Module, gain: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(20):
        layer = nn.Linear(8, 8)
        nn.init.normal_(layer.weight, std=gain / 8**0.5)
        layers += [layer, activation]
    return nn.Sequential(*layers, nn.Linear(8, 5))


def test_gradients_that_vanish(look: Look) -> None:
    check = look(deep(nn.Sigmoid(), 1.0), seconds=0)["gradient flow"]
    assert check.passed is False
    assert "vanishes" in check.do
    assert check.told.startswith("first (0.weight) / last (40.weight) = ")


class Clamped(nn.Module):
    """Bounded on the way forward, and with a straight gradient on the way back."""

    def forward(self, x: Tensor) -> Tensor:
        return x + (x.clamp(-1, 1) - x).detach()


def test_gradients_that_explode(look: Look) -> None:
    check = look(deep(Clamped(), 6.0), seconds=0)["gradient flow"]
    assert check.passed is False
    assert check.seen["ratio"] > 1e4
    assert "explodes" in check.do


def test_gradients_that_flow(look: Look) -> None:
    torch.manual_seed(0)
    check = look(deep(nn.ReLU(), 2**0.5), seconds=0)["gradient flow"]
    assert check.passed
    assert 1e-2 < check.seen["ratio"] < 1e2
