"""Pictures and recordings to features: small encoders that are trained from scratch on a CPU.

Nothing in them goes over the batch, so that a row's features do not depend on what it is encoded beside.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.audio.mel import MelSpec, log_mel

GROUPS = 8


class Encoder(Protocol):
    """What a tower needs of an encoder: `features` values a row."""

    features: int

    def __call__(self, x: Tensor) -> Tensor:
        """Encode a batch of what it is made for; (batch, ...) -> (batch, features)."""
        ...


class Weighed(nn.Module):
    """Layers of features, weighed by what is learned (Peters et al. 2018, arXiv:1802.05365); one layer is as it is."""

    def __init__(self, layers: int, size: int) -> None:
        super().__init__()
        self.features, self.count = size, layers
        self.layers = nn.Parameter(torch.zeros(layers)) if layers > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """(batch, layers, size) -> (batch, size)."""
        if self.layers is None:
            return x[:, 0]
        return (self.layers.softmax(0)[:, None] * x).sum(1)


class SmallPictures(nn.Module):
    """Strided convolutions over (batch, 3, height, width) in [0, 1], then the mean and the largest of each channel."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 192)) -> None:
        super().__init__()
        pairs = list(pairwise((3, *widths)))
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, stride=2, padding=1) for i, o in pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, o) for _, o in pairs)
        self.features = 2 * widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, features)."""
        x = 4.0 * (x - 0.5)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.gelu(norm(convolution(x)))
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)


class SmallVoices(nn.Module):
    """Strided convolutions over the log-mel spectrogram of (batch, samples), then statistics over the time."""

    def __init__(self, spec: MelSpec, widths: tuple[int, ...] = (128, 160, 192), kernel: int = 5) -> None:
        super().__init__()
        self.spec = spec
        pairs = list(pairwise((spec.bands, *widths)))
        self.convolutions = nn.ModuleList(nn.Conv1d(i, o, kernel, stride=2, padding=kernel // 2) for i, o in pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, o) for _, o in pairs)
        self.features = 3 * widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, features): the mean, the deviation and the largest of each channel."""
        with torch.no_grad():
            mel = log_mel(x, self.spec)
        x = ((mel + 5.0) / 2.5).transpose(1, 2)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.gelu(norm(convolution(x)))
        deviation = (x.var(2, correction=0) + 1e-5).sqrt()
        return torch.cat([x.mean(2), deviation, x.amax(2)], 1)
