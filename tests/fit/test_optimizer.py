from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import schedulefree
import torch
from torch import nn

from rerail.fit.optimizer import FreeAverage

Made = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class Tied(nn.Module):
    """Reads out by the weights that it reads in by; `left_out` is in the model and in no optimizer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.out = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        self.out.weight = self.into.weight
        self.left_out = nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.into(x)) * self.left_out  # type: ignore[no-any-return]


def trained(make: Made) -> tuple[Tied, torch.optim.Optimizer]:
    model, temperature = Tied(), nn.Parameter(torch.ones(1))
    optimizer = make([model.into.weight, temperature])
    for _ in range(20):
        optimizer.zero_grad()
        (model(torch.eye(3)) * temperature - 1.0).square().sum().backward()
        optimizer.step()
    return model, optimizer


def schedule_free(kind: type[torch.optim.Optimizer]) -> Made:
    def make(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer = kind(parameters, lr=0.05)  # type: ignore[call-arg]
        optimizer.train()  # type: ignore[attr-defined]
        return optimizer

    return make


@pytest.mark.parametrize("kind", [schedulefree.AdamWScheduleFree, schedulefree.SGDScheduleFree])
def test_tied_weights_are_averaged_under_every_name_and_what_is_outside_the_model_is_left(
    kind: type[torch.optim.Optimizer],
) -> None:
    model, optimizer = trained(schedule_free(kind))
    raw = model.into.weight.detach().clone()
    with FreeAverage(model, optimizer).swapped():
        average = model.into.weight.detach().clone()
    assert torch.equal(model.into.weight, raw)
    optimizer.eval()  # type: ignore[attr-defined]  # as the library itself has it
    assert torch.equal(average, model.into.weight)
    assert not torch.equal(average, raw)


def test_under_another_optimizer_the_average_is_the_weights() -> None:
    model, optimizer = trained(torch.optim.Adam)
    average = FreeAverage(model, optimizer).average
    assert all(torch.equal(one, average[name]) for name, one in model.state_dict().items())
