from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

from rerail.act.buffers import Buffers
from rerail.act.commit import clip, commit, under
from rerail.act.snapshots import Snapshots
from rerail.act.state import Parts, capture, restore
from rerail.core.knobs import Knobs


class Net(nn.Module):
    """Has a parameter, a saved buffer and one that its state dict leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("kept", torch.zeros(2))
        self.register_buffer("fleeting", torch.zeros(2), persistent=False)


def parts() -> Parts:
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), 0.1)
    return Parts(model=net, optimizers=[optimizer], others=[torch.optim.lr_scheduler.ConstantLR(optimizer)])


def train(run: Parts, times: int = 1) -> None:
    for _ in range(times):
        run.model.layer(torch.randn(3, 2)).square().sum().backward()
        run.optimizers[0].step()
        run.others[0].step()
        run.model.kept += 1
        run.model.fleeting += 1


def everything(run: Parts) -> list[torch.Tensor]:
    inner = run.optimizers[0].state_dict()["state"]
    return [
        *(tensor.clone() for tensor in run.model.state_dict().values()),
        run.model.fleeting.clone(),
        *(value.clone() for one in inner.values() for value in one.values()),
    ]


def test_a_restored_run_is_bitwise_what_was_captured_and_stays_so() -> None:
    run = parts()
    train(run, 3)
    saved, before = capture(run), everything(run)
    drawn = torch.rand(2), random.random(), np.random.rand()  # noqa: NPY002 (what users draw from)
    for _ in range(2):  # restoring twice: training after the first must not write into the snapshot
        train(run, 3)
        restore(run, saved)
        assert all(torch.equal(one, other) for one, other in zip(everything(run), before, strict=True))
        again = torch.rand(2), random.random(), np.random.rand()  # noqa: NPY002 (what users draw from)
        assert torch.equal(drawn[0], again[0])
        assert drawn[1:] == again[1:]
    assert run.others[0].last_epoch == 3


def test_a_snapshot_is_healthy_only_after_calm_steps() -> None:
    shots = Snapshots(parts(), probation=3, capacity=10**9)
    shots.take(tick=0, step=0, healthy=True)
    shots.take(tick=5, step=5)
    calm = [True, True, False, True, True, True]
    promoted = [bool(shots.observe(healthy=one)) for one in calm]
    assert promoted == [False, False, False, False, False, True]
    assert shots.newest_healthy().step == 5


def test_a_rewind_passes_over_what_is_not_proved_and_forgets_it() -> None:
    run = parts()
    shots = Snapshots(run, probation=1, capacity=10**9)
    shots.take(tick=0, step=0, healthy=True)
    train(run)
    shots.take(tick=1, step=1, healthy=True)
    at_one = everything(run)
    train(run)
    shots.take(tick=2, step=2)
    train(run)
    assert shots.rewind().step == 1
    assert all(torch.equal(one, other) for one, other in zip(everything(run), at_one, strict=True))
    assert [shot.step for shot in shots.kept] == [0, 1]
    assert shots.rewind(depth=1).step == 0
    assert shots.rewind(depth=9).step == 0


def test_a_poisoned_state_is_never_kept() -> None:
    run = parts()
    shots = Snapshots(run, probation=1, capacity=10**9)
    assert shots.take(tick=0, step=0, healthy=True)
    with torch.no_grad():
        run.model.layer.weight[0, 0] = math.inf
    assert shots.take(tick=1, step=1) is None
    assert shots.newest_healthy().step == 0


def test_a_mask_of_infinities_is_no_poison() -> None:
    run = parts()
    run.model.kept.fill_(-math.inf)
    shots = Snapshots(run, probation=1, capacity=10**9)
    assert shots.take(tick=0, step=0, healthy=True)
    run.model.fleeting.fill_(-math.inf)
    assert shots.take(tick=1, step=1) is None


def test_a_byte_cap_keeps_the_newest_and_the_last_healthy() -> None:
    shots = Snapshots(parts(), probation=1, capacity=1)
    for step in range(5):
        shots.take(tick=step, step=step, healthy=step < 3)
    assert [shot.step for shot in shots.kept] == [2, 4]


def test_buffers_that_a_forward_pass_changed_or_replaced_come_back() -> None:
    net = Net()
    keeper = Buffers(net)
    net.kept += 5
    net.fleeting = torch.ones(7)
    keeper.restore()
    assert torch.equal(net.kept, torch.zeros(2))
    assert torch.equal(net.fleeting, torch.zeros(2))
    net.fleeting = torch.ones(7)
    keeper.save()
    net.fleeting += 1
    keeper.restore()
    assert torch.equal(net.fleeting, torch.ones(7))


def test_clipping_is_torchs_own() -> None:
    one, other = torch.randn(50), torch.randn(50)
    expected = [one.clone(), other.clone()]
    parameters = [nn.Parameter(torch.zeros(50)) for _ in range(2)]
    for parameter, gradient in zip(parameters, expected, strict=True):
        parameter.grad = gradient
    norm = float(nn.utils.clip_grad_norm_(parameters, 1.0))
    clip([one, other], norm, 1.0)
    torch.testing.assert_close([one, other], [parameter.grad for parameter in parameters])
    small = torch.tensor([0.1])
    clip([small], 0.1, 1.0)
    assert float(small) == pytest.approx(0.1)


@pytest.mark.parametrize("rate", [0.1, torch.tensor(0.1)])
def test_the_learning_rate_is_exactly_what_it_was(rate: float | torch.Tensor) -> None:
    net = nn.Linear(1, 1)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    net(torch.ones(1, 1)).sum().backward()
    before = net.weight.item()
    with under([optimizer], Knobs(lr_scale=0.5)):
        assert float(optimizer.param_groups[0]["lr"]) == pytest.approx(0.05)
    commit([optimizer], Knobs(lr_scale=0.5))
    assert optimizer.param_groups[0]["lr"] is rate
    assert before - net.weight.item() == pytest.approx(0.05, rel=1e-4)


def test_a_failing_step_gives_the_learning_rate_back() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.3)
    with pytest.raises(RuntimeError, match="broken"), under([optimizer], Knobs(lr_scale=0.5)):
        raise RuntimeError("broken")
    assert optimizer.param_groups[0]["lr"] == 0.3
