from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any
EVAL, ROWS = "eval mode", "rows do not mix"


class Dropping(nn.Module):
    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.inner, self.always = nn.Linear(8, 5), always

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(self.inner(x), 0.5, training=self.always or self.training)


def test_dropout_that_ignores_eval_is_seen(look: Look) -> None:
    check = look(Dropping(always=True), seconds=0)[EVAL]
    assert check.passed is False
    assert "training=self.training" in check.do
    assert look(Dropping(always=True), seconds=0, draws_in_eval=True)[EVAL].passed


def test_dropout_that_heeds_eval_is_fine(look: Look) -> None:
    assert look(Dropping(always=False), seconds=0)[EVAL].passed


def test_running_statistics_that_spoil_eval_are_seen(look: Look) -> None:
    norm = nn.BatchNorm1d(8)
    norm.running_var = torch.full((8,), -9.0)  # as a mean of weights with a negative share leaves it

    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.out = norm, nn.Linear(8, 5)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.out(self.norm(x))
            return out

    check = look(Normed(), seconds=0)[EVAL]
    assert check.passed is False
    assert check.told == "not finite: loss"


class Mixing(nn.Module):
    """A softmax over the rows in place of the classes."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.inner, self.dim = nn.Linear(8, 5), dim

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.inner(x), self.dim) * 5


@pytest.mark.parametrize(("dim", "passed"), [(0, False), (1, True)])
def test_a_softmax_over_the_rows(dim: int, passed: bool, look: Look) -> None:  # noqa: FBT001
    check = look(Mixing(dim), seconds=0)[ROWS]
    assert check.passed is passed
    assert bool(check.do) is not passed


def test_batch_norm_is_excepted_and_told(look: Look) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 5))
    check = look(model, seconds=0)[ROWS]
    assert check.passed
    assert check.told.startswith("BatchNorm aside")
    without = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Linear(8, 5))
    assert look(without, seconds=0)[ROWS].passed is None


@dataclass
class Out:
    logits: Tensor


class Tokens(nn.Module):
    """Reads symbols and answers with a record; `mixing` forgets that the first dimension is the batch."""

    def __init__(self, *, mixing: bool) -> None:
        super().__init__()
        self.embed, self.mixing, self.out = nn.Embedding(11, 8), mixing, nn.Linear(8, 11)

    def forward(self, symbols: Tensor) -> Out:
        hidden = self.embed(symbols)
        before = hidden.cumsum(0 if self.mixing else 1)
        return Out(self.out(before))


@pytest.mark.parametrize("mixing", [True, False])
def test_symbols_in_records(mixing: bool, look: Look) -> None:  # noqa: FBT001
    model = Tokens(mixing=mixing)
    symbols = torch.randint(0, 11, (6, 9), generator=torch.Generator().manual_seed(0))

    def losses(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["symbols"]).logits.flatten(0, 1), given["symbols"].flatten())

    check = look(model, losses, given={"symbols": symbols}, seconds=0)[ROWS]
    assert check.passed is not mixing
    assert math.isfinite(next(iter(check.seen.values())))


def test_one_row_cannot_be_told_from_others(look: Look) -> None:
    given = {"x": torch.randn(1, 8), "label": torch.tensor([2])}
    assert look(nn.Linear(8, 5), given=given, seconds=0)[ROWS].told == "the batch has one row"
