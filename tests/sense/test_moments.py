from __future__ import annotations

from collections.abc import Callable

import pytest
import schedulefree
import torch
from torch import nn

from rerail.sense.moments import moments


def free(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    optimizer: torch.optim.Optimizer = schedulefree.AdamWScheduleFree(parameters, lr=1e-4)
    optimizer.train()  # type: ignore[attr-defined]
    return optimizer


@pytest.mark.parametrize("make", [lambda parameters: torch.optim.AdamW(parameters, lr=1e-4), free])
def test_a_gradient_as_it_was_reads_1_and_one_ten_times_as_large_10(
    make: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
) -> None:
    weight = nn.Parameter(torch.ones(4))
    optimizer = make([weight])
    for _ in range(5):
        weight.grad = torch.full((4,), 0.5)
        optimizer.step()
    weight.grad = torch.full((4,), 0.5)
    assert float(moments([optimizer])["optimizer/rms"]) == pytest.approx(1.0, rel=1e-3)
    weight.grad = torch.full((4,), 5.0)
    read = moments([optimizer])
    assert float(read["optimizer/rms"]) == pytest.approx(10.0, rel=1e-3)
    assert float(read["optimizer/largest"]) == pytest.approx(100.0, rel=1e-3)
