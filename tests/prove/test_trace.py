"""One real formula a line: what the trace must name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.core.operations import edge
from rerail.core.trial import Operation
from rerail.prove.trace import Tracer

Formula = Callable[[Tensor], Tensor]


def traced(formula: Callable[..., Tensor], *batches: Any, model: nn.Module | None = None) -> Operation | None:
    network = model or nn.Linear(4, 4)
    tracer = Tracer(network, batches)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tracer:
            total = sum((formula(network, batch) for batch in batches), torch.zeros(()))
            total.backward()
    gradients = [one.grad for one in network.parameters() if one.grad is not None]
    return tracer.culprit([total, *gradients])


def batch(rows: int = 6) -> Tensor:
    return torch.randn(rows, 4, generator=torch.Generator().manual_seed(0))


def masked(network: nn.Module, x: Tensor) -> Tensor:
    scores = network(x).masked_fill(torch.tensor([False] * 3 + [True]), -torch.inf)
    scores = torch.cat([scores[:4], scores[4:].masked_fill(torch.ones(4, dtype=torch.bool), -torch.inf)])
    return nn.functional.softmax(scores, 1)[:, :3].square().mean()


FORMULAS: dict[str, tuple[Callable[..., Tensor], str, str, tuple[int, ...]]] = {
    "log of 0": (lambda net, x: (net(x).relu() * 0).log().mean(), "log", "", ()),
    "norm of 0": (lambda net, x: (net(x) * 0).square().sum(1).sqrt().mean(), "div", "Sqrt", ()),
    "power at 0": (lambda net, x: ((net(x) * 0).square() ** 0.5).mean(), "pow", "Pow", ()),
    "masked mean": (lambda net, x: (net(x) * 0).sum() / (x * 0).sum(), "div", "", ()),
    "exp of much": (lambda net, x: ((net(x)[:, 0] * 0 + 1) * torch.arange(6) * 20).exp().mean(), "exp", "", (5,)),
    "masked softmax": (masked, "_softmax", "", (4, 5)),
    "acos past 1": (lambda net, x: ((net(x) * 0) + 2).acos().mean(), "acos", "", ()),
    "deviation of one": (lambda net, x: net(x)[:1, :1].std(), "std", "", ()),
    "half overflow": (lambda net, x: (net(x) * 0 + 1e5).half().float().mean(), "_to_copy", "", ()),
    "hidden by where": (lambda net, x: torch.where(x > 9, (net(x) * 0).log(), net(x)).mean(), "mul", "Log", ()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FORMULAS)
def test_the_first_operation_is_named_with_its_line(name: str) -> None:
    formula, operation, node, rows = FORMULAS[name]
    made = traced(formula, batch())
    assert made is not None
    if name != "hidden by where":
        assert made.name == operation
        assert made.node.startswith(node)
    else:  # the infinity is made by log in the branch that is not taken, and comes back in its gradient
        assert made.name == "log" or made.node.startswith("Log")
    assert "test_trace.py" in made.line
    assert made.rows == rows or not rows
    assert edge(made) is not None


def test_infinities_of_masks_that_do_no_harm_are_not_named() -> None:
    assert (
        traced(
            lambda net, x: nn.functional.softmax(net(x).masked_fill(torch.eye(6, 4).bool(), -torch.inf), 1).mean(),
            batch(),
        )
        is None
    )


def test_what_came_in_with_the_batch_is_said_to_with_its_rows_through_micro_batches() -> None:
    bad = batch()
    bad[2, 1] = math.nan
    made = traced(lambda net, x: net(x).square().mean(), batch(), bad)
    assert made == Operation(origin="batch", rows=(8,))


def test_a_poisoned_parameter_is_named() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    with torch.no_grad():
        model[1].weight[0, 0] = math.inf
    made = traced(lambda net, x: net(x).square().mean(), batch(), model=model)
    assert made is not None
    assert (made.origin, made.module) == ("parameter", "1.weight")


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"first": nn.Linear(4, 4), "power": Power()})

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.encoder["power"](self.encoder["first"](x) * 0)
        return out.mean()


class Power(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs().sqrt()


def test_the_module_is_named_forwards_and_backwards() -> None:
    made = traced(lambda net, x: net(x), batch(), model=Deep())
    assert made is not None
    assert made.module == "encoder.power"
    assert "x.abs().sqrt()" in made.line


def test_complex_numbers_are_followed() -> None:
    bad = torch.randn(2, 64)
    bad[1, 3] = math.nan

    def spectrum(net: nn.Module, x: Tensor) -> Tensor:
        magnitude = torch.stft(x, 16, window=torch.hann_window(16), return_complex=True).abs()
        return magnitude.mean() * net(torch.ones(1, 4)).mean()

    made = traced(spectrum, bad)
    assert made == Operation(origin="batch", rows=(1,))
