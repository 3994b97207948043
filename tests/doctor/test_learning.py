from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any


def batch() -> dict[str, Tensor]:
    return {"x": torch.randn(12, 8, generator=torch.Generator().manual_seed(1))}


def squares(model: nn.Module) -> Any:
    return lambda given: (model(given["x"]) - given["x"].sum(1, keepdim=True)).square().mean()


def sgd(rate: float) -> tuple[nn.Module, Any, Any]:
    torch.manual_seed(0)
    model = nn.Linear(8, 1)
    return model, squares(model), torch.optim.SGD(model.parameters(), rate)


def test_a_run_that_learns(look: Look) -> None:
    checks = look(*sgd(0.05))
    assert checks["one batch by heart"].passed
    assert checks["one batch by heart"].seen["fall"] > 0.5
    assert "in 40 steps the loss falls by" in checks["one batch by heart"].told
    range_ = checks["learning-rate range"]
    assert range_.passed
    assert range_.seen["low"] < 0.05 < range_.seen["diverges"] < math.inf
    assert range_.seen["low"] < range_.seen["high"] < range_.seen["diverges"]


def test_a_rate_that_is_far_too_high(look: Look) -> None:
    checks = look(*sgd(50.0))
    assert checks["one batch by heart"].passed is False
    assert "lower rate" in checks["one batch by heart"].do
    assert checks["learning-rate range"].passed is False
    assert checks["learning-rate range"].seen["diverges"] < 50.0


def test_a_rate_that_is_too_low(look: Look) -> None:
    check = look(*sgd(1e-4))["one batch by heart"]
    assert check.passed is False
    assert "the rate is too low" in check.do
    assert check.seen["fall"] < 0.05 <= check.seen["fall at 10"]


def test_a_loss_that_nothing_lowers(look: Look) -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 5)

    def detached(given: Mapping[str, Tensor]) -> Tensor:
        real = functional.cross_entropy(model(given["x"]).detach(), given["label"])
        return real + 0.0 * model(given["x"]).sum()

    check = look(model, detached)["one batch by heart"]
    assert check.passed is False
    assert "nothing is learnt" in check.do


def test_a_component_with_the_wrong_sign_shows_as_a_rise(look: Look) -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 5)

    def losses(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        value = functional.cross_entropy(model(given["x"]), given["label"])
        return {"label": 2 * value.detach() - value}  # what is told is the value, what is descended on its negative

    check = look(model, losses)["one batch by heart"]
    assert check.passed is False
    assert "rises" in check.told
    assert "sign" in check.do


def test_a_rate_of_zero(look: Look) -> None:
    checks = look(*sgd(0.0))
    assert checks["learning-rate range"].passed is False
    assert checks["learning-rate range"].told == "the rate is 0"
    assert checks["a step moves them"].passed is False


def test_a_loss_that_no_rate_lowers_has_no_range(look: Look) -> None:
    model = nn.Linear(8, 5)
    check = look(model, lambda given: 0.0 * model(given["x"]).sum() + 1.0)["learning-rate range"]
    assert check.passed is None
    assert check.told == "no rate from 1e-05 to 1e+01 lowers the loss clearly"


def test_a_gradient_that_is_not_finite_has_no_range(look: Look) -> None:
    model = nn.Linear(8, 5)
    check = look(model, lambda given: model(given["x"] * 0.0).log().mean())["learning-rate range"]
    assert check.passed is False
    assert "not finite before any step" in check.told


@pytest.mark.parametrize("rate", [1e-2, 0.3])
def test_the_range_does_not_hang_on_the_runs_own_rate(rate: float, look: Look) -> None:
    seen = look(*sgd(rate), given=batch())["learning-rate range"].seen
    x = torch.cat([batch()["x"], torch.ones(12, 1)], 1)
    bears = 2 / float(torch.linalg.eigvalsh(2 * x.t() @ x / 12).max())  # a quadratic's largest rate that converges
    assert bears < seen["diverges"] < 10 * bears
