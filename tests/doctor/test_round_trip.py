from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

Look = Any
NAME = "checkpoint round trip"


class Average:
    """A moving average of the weights, which `load_state_dict` may forget to take."""

    def __init__(self, model: nn.Module, *, forgets: bool) -> None:
        self.model, self.forgets = model, forgets
        self.average = [one.detach().clone() for one in model.parameters()]

    def update(self) -> None:
        for mean, one in zip(self.average, self.model.parameters(), strict=True):
            mean.lerp_(one.detach(), 0.1)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        if not self.forgets:
            self.average = [one.clone() for one in state["average"]]


def test_a_part_that_is_not_loaded_is_named(look: Look) -> None:
    model = nn.Linear(8, 5)
    average = Average(model, forgets=True)
    check = look(model, state=[average], after_commit=average.update, seconds=0)[NAME]
    assert check.passed is False
    assert check.told == "not as it was: others"
    assert "state=[...]" in check.do


def test_a_part_that_is_loaded_comes_back(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.3), nn.Linear(8, 5))
    average = Average(model, forgets=False)
    kept = [one.clone() for one in average.average]
    check = look(model, state=[average], after_commit=average.update, seconds=0)[NAME]
    assert check.passed
    assert "equal bit by bit" in check.told
    assert check.seen["bytes"] > 1000
    assert all(torch.equal(one, other) for one, other in zip(kept, average.average, strict=True))


class Ageing(nn.Linear):
    """Scales its output by the number of its calls, which no state dict has."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x) * (1 + 0.1 * self.calls)


def test_what_no_state_has_is_noticed_when_the_run_goes_on(look: Look) -> None:
    check = look(Ageing(8, 5), seconds=0)[NAME]
    assert check.passed is False
    assert "model" in check.told


class Odd:
    def state_dict(self) -> dict[str, Any]:
        return {"what": Odd}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        assert state


def test_a_state_that_cannot_be_read_back_safely_is_told(look: Look) -> None:
    check = look(nn.Linear(8, 5), state=[Odd()], seconds=0)[NAME]
    assert check.passed is False
    assert "weights_only" in check.told
