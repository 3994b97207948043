from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

import rerail
from rerail.act import state
from rerail.doctor import Check, examine
from rerail.doctor.examine import NAMES
from toy import Loader, same, toy

Look = Any


def trained_toy() -> Any:
    run = toy(scaler=torch.amp.GradScaler("cpu", init_scale=1024.0))
    run.train(4)
    return run


def everything(run: Any) -> list[Tensor]:
    return [one.clone() for one in state.walk(state.capture(run.guard.bench().parts))]


def test_the_run_is_left_as_it_was() -> None:
    run = trained_toy()
    given = next(iter(run.loader))
    kept = copy.deepcopy(given)
    for one in run.model.parameters():
        one.grad = torch.ones_like(one)
    gradients = [one.grad for one in run.model.parameters()]
    run.model[3].eval()
    before, schedule, rate = everything(run), run.schedule.state_dict(), run.optimizer.param_groups[0]["lr"]
    plain = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    hooks = [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in run.model.modules()]
    everywhere = len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks)
    examine(run.guard, given, seconds=5)
    assert same(before, everything(run))
    assert run.schedule.state_dict() == schedule
    assert run.optimizer.param_groups[0]["lr"] == rate
    assert (random.getstate(), np.random.get_state()[1].tolist()) == plain  # noqa: NPY002
    assert all(one.grad is gradient for one, gradient in zip(run.model.parameters(), gradients, strict=True))
    assert all(bool((gradient == 1).all()) for gradient in gradients)
    assert [one.training for one in run.model] == [True, True, True, False, True]
    assert [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in run.model.modules()] == hooks
    assert len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks) == everywhere
    assert torch.equal(given["x"], kept["x"])
    assert given.keys() == kept.keys()


def test_an_examined_run_trains_as_one_that_was_not() -> None:
    plain, looked_at = toy(), toy()
    examine(looked_at.guard, next(iter(Loader())), seconds=5)
    torch.manual_seed(3)
    plain.train(6)
    torch.manual_seed(3)
    looked_at.train(6)
    assert same(plain.weights(), looked_at.weights())


def test_a_healthy_run_passes(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 5))
    checks = look(model)
    assert tuple(checks) == NAMES
    assert {name: check.told for name, check in checks.items() if check.passed is False} == {}
    assert {name for name, check in checks.items() if check.passed is None} == {
        "half-precision headroom",
        "unscaled before clipping",
    }


def test_a_forward_pass_that_raises_is_told_and_nothing_is_lost(look: Look) -> None:
    def broken(given: Mapping[str, Tensor]) -> Tensor:
        return given["nothing"]

    model = nn.Linear(8, 5)
    before = model.weight.clone()
    checks = look(model, broken)
    assert checks["the same step twice"].passed is False
    assert "KeyError: 'nothing'" in checks["the same step twice"].told
    assert checks["the batch"].passed is True
    assert checks["loss at the start"].passed is None
    assert tuple(checks) == NAMES
    assert torch.equal(model.weight, before)


def test_without_losses_it_says_what_is_missing() -> None:
    model = nn.Linear(2, 1)
    guard = rerail.Guard(model, torch.optim.SGD(model.parameters(), 0.1))
    with pytest.raises(ValueError, match="give losses="):
        rerail.examine(guard, {})
    guard.close()


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_that_is_none_is_refused(seconds: float, look: Look) -> None:
    with pytest.raises(ValueError, match="give 0 or more"):
        look(nn.Linear(8, 5), seconds=seconds)


def test_little_time_leaves_the_dear_checks_out(look: Look) -> None:
    checks = look(nn.Linear(8, 5), seconds=0.0)
    assert checks["one batch by heart"] == Check(
        name="one batch by heart", passed=None, told="no time for 16 steps", do="give more seconds"
    )
    assert checks["learning-rate range"].passed is None
    assert checks["checkpoint round trip"].passed is True


def test_the_watcher_is_told_each_check(look: Look) -> None:
    seen: list[tuple[str, int, int]] = []
    look(nn.Linear(8, 5), seconds=0.0, watch=lambda *one: seen.append(one))
    assert [name for name, _, _ in dict.fromkeys(seen)][:2] == list(NAMES)[:2]
    assert {number for _, number, _ in seen} == set(range(len(NAMES)))
