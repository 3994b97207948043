from __future__ import annotations

import pytest
import torch
from torch import nn

from rerail.sense.gains import gains


def gain(model: nn.Module) -> float:
    return float(gains(model)["weight/gain"])


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(300, 200), nn.Conv2d(16, 32, 3), nn.Conv1d(20, 40, 5), nn.LSTM(64, 64), nn.GRUCell(64, 64)],
)
def test_what_torch_starts_with_is_far_below_the_limit(layer: nn.Module) -> None:
    assert 0.4 < gain(layer) < 1.5


def test_the_usual_starts_keep_their_gain() -> None:
    layer = nn.Linear(400, 400)
    nn.init.kaiming_normal_(layer.weight)
    assert gain(layer) == pytest.approx(2**0.5, rel=0.02)
    nn.init.orthogonal_(layer.weight)
    assert gain(layer) == pytest.approx(1.0, rel=0.02)


def test_the_widest_layer_counts() -> None:
    model = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 50))
    with torch.no_grad():
        model[1].weight.mul_(30)
    assert gain(model) == pytest.approx(30 / 3**0.5, rel=0.1)


def test_tables_and_learned_queries_are_no_layers() -> None:
    model = nn.ModuleDict({"table": nn.Embedding(1000, 64)})
    model.register_parameter("queries", nn.Parameter(torch.randn(10, 256)))
    assert gains(model) == {}
