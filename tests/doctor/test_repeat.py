from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any
NAME = "the same step twice"


def test_dropout_is_drawn_again_from_the_same_state(look: Look) -> None:
    check = look(nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 5)), seconds=0)[NAME]
    assert check.passed
    assert "4 gradients equal, bit by bit" in check.told


def test_a_generator_of_the_losses_own_is_seen(look: Look) -> None:
    model, own = nn.Linear(8, 5), np.random.default_rng(0)

    def noisy(given: Mapping[str, Tensor]) -> Tensor:
        noise = torch.from_numpy(own.standard_normal((12, 8))).float()
        return functional.cross_entropy(model(given["x"] + noise), given["label"])

    check = look(model, noisy, seconds=0)[NAME]
    assert check.passed is False
    assert "loss/total" in check.told
    assert "generator" in check.do


class Carrying(nn.Module):
    """Keeps its hidden state from call to call, and forgets to reset it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.hidden = nn.Linear(8, 5), torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x)
        total = out.sum() + self.hidden
        self.hidden = total.detach()
        return out * (1 + 0.01 * torch.tanh(total / 10))


def test_a_state_that_is_carried_over_is_seen(look: Look) -> None:
    check = look(Carrying(), seconds=0)[NAME]
    assert check.passed is False
    assert check.seen["gradients"] > 0


def test_a_gradient_alone_that_is_random_is_seen(look: Look) -> None:
    model, own = nn.Linear(8, 5), np.random.default_rng(0)
    model.bias.register_hook(lambda gradient: gradient * float(own.uniform()))
    check = look(model, seconds=0)[NAME]
    assert check.told == "differs: gradient of bias"
    assert (check.seen["losses"], check.seen["gradients"]) == (0, 1)


def test_a_loss_that_writes_into_its_batch_is_seen_and_the_batch_is_kept(look: Look) -> None:
    model = nn.Linear(8, 5)

    def halving(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"].mul_(0.5)), given["label"])

    assert look(model, halving, seconds=0)[NAME].passed is False
