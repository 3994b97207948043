"""From an encoder's features to the shared space."""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

Name = Literal["linear", "simple", "deep"]
Start = Literal["xavier", "kaiming"]
GAIN = 0.1  # of Xavier's


def head(name: Name, inputs: int, width: int, start: Start = "xavier") -> nn.Sequential:
    """Return a projection (batch, inputs) -> (batch, width).

    linear  one layer
    simple  Linear, LayerNorm, ReLU, Dropout 0.1, Linear
    deep    two such stages before the last layer, of twice the width and of the width
    """
    hidden = {"linear": (), "simple": (width,), "deep": (2 * width, width)}[name]
    layers: list[nn.Module] = []
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.LayerNorm(units), nn.ReLU(), nn.Dropout(0.1)]
        inputs = units
    made = nn.Sequential(*layers, nn.Linear(inputs, width))
    for layer in made:
        if isinstance(layer, nn.Linear):
            _begin(layer, start)
    return made


def _begin(layer: nn.Linear, start: Start) -> None:
    if start == "xavier":
        nn.init.xavier_uniform_(layer.weight, gain=GAIN)
    else:
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    bound = 1 / math.sqrt(layer.in_features)
    nn.init.uniform_(layer.bias, -bound, bound)  # else all inputs begin at one point where the weights are small
