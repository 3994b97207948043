from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from rerail.act.commit import commit, fresh
from rerail.core.knobs import Knobs
from rerail.fit import FitConfig
from rerail.fit import optimizer as made


def stepped(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, knobs: Knobs | None = None) -> list[float]:
    for step in range(steps):
        optimizer.zero_grad()
        (model(torch.ones(1, 2)).square().sum() * (1 + step % 3)).backward()
        commit([optimizer], knobs or Knobs())
    return [float(value) for one in model.parameters() for value in one.detach().flatten()]


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(2, 1)


@pytest.mark.parametrize("schedule", ["schedule-free", "constant"])
def test_a_fresh_optimizer_steps_as_one_that_was_just_made(schedule: Any) -> None:
    config = FitConfig(schedule=schedule, lr=0.1)
    model, other = linear(), linear()
    used = made(model.parameters(), config)
    stepped(model, used, 50)
    fresh([used])
    other.load_state_dict(model.state_dict())
    assert stepped(model, used, 20) == stepped(other, made(other.parameters(), config), 20)


def test_a_setting_that_is_held_leaves_the_steps_of_an_average_counted() -> None:
    config = FitConfig(schedule="schedule-free", lr=0.1, weight_decay=0.01)
    model, other = linear(), linear()
    held = Knobs(settings={"weight_decay/0": 0.01, "betas.1/0": 0.999})
    optimizer = made(model.parameters(), config)
    assert stepped(model, optimizer, 20, held) == stepped(other, made(other.parameters(), config), 20)
    stepped(model, optimizer, 1, Knobs(settings={"weight_decay/0": 0.0, "betas.0/0": 0.5, "betas.1/0": 0.9}))
    (group,) = optimizer.param_groups
    assert (group["weight_decay"], group["betas"], group["k"]) == (0.01, (0.9, 0.999), 21)


class Hungry(torch.optim.SGD):
    """Moves the weights, then finds no memory for what it wants to keep."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step(closure)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")


def test_memory_that_runs_out_inside_an_optimizer_is_not_mended_by_smaller_batches() -> None:
    model = linear()
    model(torch.ones(1, 2)).sum().backward()
    with pytest.raises(RuntimeError, match=r"some weights may have moved.*last checkpoint: CUDA out of memory") as seen:
        commit([Hungry(model.parameters(), lr=0.1)], Knobs())
    assert not isinstance(seen.value, torch.OutOfMemoryError)
    assert "\n" not in str(seen.value)
