from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

Look = Any


def spoilt(x: Tensor, how: str) -> Tensor:
    rows = torch.arange(len(x))
    return {
        "not finite": torch.where((rows[:, None] == 3) & (torch.arange(x.shape[1]) == 2), math.nan, x),
        "constant": torch.full_like(x, 0.25),
        "zeros": torch.zeros_like(x),
        "duplicates": x[torch.where(rows == 4, 9, rows)],
        "unnormalised": (x * 50 + 128).clamp(0, 255),
        "offset": x + 25,
    }.get(how, x)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("not finite", "not finite: x: 1"),
        ("constant", "constant: x"),
        ("zeros", "constant: x"),
        ("duplicates", "duplicates: row 4, row 9"),
        ("unnormalised", "unnormalised: x (mean 13"),
        ("offset", "unnormalised: x (mean 25"),
    ],
)
def test_what_is_wrong_with_a_batch(how: str, told: str, look: Look) -> None:
    x = spoilt(torch.randn(12, 8), how)
    check = look(nn.Linear(8, 5), given={"x": x, "label": torch.arange(12) % 5}, seconds=0)["the batch"]
    assert check.passed is False
    assert told in check.told
    assert check.do


def test_a_silent_row_among_others(look: Look) -> None:
    x = torch.randn(12, 32)
    x[7] = -11.5
    check = look(nn.Linear(32, 5), given={"x": x, "label": torch.arange(12) % 5}, seconds=0)["the batch"]
    assert check.told == "constant: x row 7"


def test_a_good_batch_is_described(look: Look) -> None:
    given = {
        "x": torch.randn(12, 8).clamp(-2, 2),
        "label": torch.arange(12) % 5,
        "attention_mask": torch.zeros(12, 8),
        "keep": torch.ones(12, 8),
        "additive": torch.zeros(12, 4).index_fill(1, torch.tensor([3]), -math.inf),
    }
    check = look(nn.Linear(8, 5), given=given, seconds=0)["the batch"]
    assert check.passed
    assert check.told.startswith("12 rows, x -2 to 2")
