"""The few layers that the network repeats, named as in the published checkpoints, and blind to padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """A linear map with Xavier-uniform weights for the activation that follows."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, gain: str = "linear") -> None:
        super().__init__()
        self.linear_layer = nn.Linear(inputs, outputs, bias=bias)
        nn.init.xavier_uniform_(self.linear_layer.weight, gain=nn.init.calculate_gain(gain))  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., inputs) -> (..., outputs)."""
        y: Tensor = self.linear_layer(x)
        return y


class Convolution(nn.Module):
    """A length-preserving 1-d convolution with Xavier-uniform weights; the kernel is odd."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, gain: str = "linear") -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        nn.init.xavier_uniform_(self.conv.weight, gain=nn.init.calculate_gain(gain))  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, inputs, length) -> (batch, outputs, length)."""
        y: Tensor = self.conv(x)
        return y


def convolution_block(inputs: int, outputs: int, kernel: int, gain: str) -> nn.Sequential:
    """A convolution and its batch normalisation; applied by `convolve`, which knows about padding."""
    return nn.Sequential(Convolution(inputs, outputs, kernel, gain=gain), nn.BatchNorm1d(outputs))


def convolve(block: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Convolve, then normalise over the valid positions only; padding comes out as zero.

    x: (batch, channels, length), zero where padded; mask: (batch, length), true where valid.
    Zero padding makes a padded row see what a lone one sees past its end; and padding stays out of the statistics.
    """
    convolution, norm = block.children()
    y: Tensor = convolution(x).transpose(1, 2)
    normal = torch.zeros_like(y)
    normal[mask] = norm(y[mask])
    return normal.transpose(1, 2)


def dropout(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Drop with probability p whatever the mode; draws from the generator, or from the global RNG if None."""
    if p == 0.0:
        return x
    keep = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return x * keep / (1.0 - p)
