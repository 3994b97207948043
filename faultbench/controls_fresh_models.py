"""The models of the fresh controls that no workload has."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.state_common import mlp


class DeepResidual(nn.Module):
    """Six residual layers on digits; in training each is left out with the chance `left_out`."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out = 0.0
        self.first, self.head = nn.Linear(64, 48), nn.Linear(48, 10)
        self.layers = nn.ModuleList([nn.Sequential(nn.LayerNorm(48), mlp(48, 48, 48)) for _ in range(6)])

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, 1, 8, 8) -> logits (batch, 10)."""
        hidden = self.first(x.flatten(1))
        for layer in self.layers:
            if self.training and float(torch.rand(())) < self.left_out:
                continue
            share = 1.0 if self.training else 1.0 - self.left_out
            hidden = hidden + share * layer(hidden)
        logits: Tensor = self.head(hidden)
        return logits


class Bandit(nn.Module):
    """A policy over four actions."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = mlp(8, 32, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, 8) -> logits (batch, 4)."""
        logits: Tensor = self.policy(x)
        return logits


class Quantised(nn.Module):
    """A perceptron whose weights are rounded to fifteen levels where `rounds` is true."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = False
        self.layers = nn.ModuleList([nn.Linear(8, 48), nn.Linear(48, 48), nn.Linear(48, 1)])

    def weight(self, layer: nn.Module) -> Tensor:
        """Give a layer's weight, rounded or not; the gradient passes straight (Bengio et al. 2013)."""
        assert isinstance(layer, nn.Linear)
        if not self.rounds:
            return layer.weight
        level = layer.weight.detach().abs().max() / 7
        rounded = (layer.weight / level).round() * level
        return layer.weight + (rounded - layer.weight).detach()

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, 8) -> value (batch,)."""
        for layer in self.layers[:-1]:
            x = F.relu(F.linear(x, self.weight(layer), layer.bias))
        last = self.layers[-1]
        return F.linear(x, self.weight(last), last.bias).squeeze(-1)


class Gumbel(nn.Module):
    """An autoencoder of digits through eight choices out of eight."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = mlp(64, 64, 64), mlp(64, 64, 64)

    def forward(self, x: Tensor, temperature: float) -> Tensor:
        """x: (batch, 64) -> (batch, 64); when measured the likeliest code is taken."""
        scores = self.encode(x).view(-1, 8, 8)
        if self.training:
            code = F.gumbel_softmax(scores, tau=temperature)
        else:
            code = F.one_hot(scores.argmax(-1), 8).float()
        made: Tensor = self.decode(code.flatten(1))
        return made
