from __future__ import annotations

import torch
from torch import nn

from rerail.sense.ran import cut, ran


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.head, self.spare = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)


def counted(model: Two, *, detach: bool = False, frozen: bool = False) -> float:
    with ran(model) as taken:
        with torch.set_grad_enabled(not frozen):
            hidden = model.trunk(torch.ones(2, 4))
        model.head(hidden.detach() if detach else hidden).sum().backward()
    assert not model.trunk._forward_pre_hooks
    return cut(model, taken)["path/cut"]


def test_what_ran_and_has_no_gradient_is_cut_off() -> None:
    assert counted(Two()) == 0.0
    assert counted(Two(), detach=True) == 2.0


def test_what_did_not_run_or_ran_without_gradients_is_not() -> None:
    assert counted(Two(), frozen=True) == 0.0


def test_a_gradient_of_zeros_is_not_cut_off() -> None:
    model = Two()
    with torch.no_grad():
        model.head.weight.zero_()
    assert counted(model) == 0.0
