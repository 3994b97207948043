"""A recording to the voice in it: a speaker vector, and a latent for the manner of speaking."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.alignment import valid
from rerail.tasks.speech.precision import wide
from rerail.tasks.xtts.config import Size

LOG_VARIANCE = (-8.0, 4.0)  # the range of a latent's log-variance; its exponential stays harmless within


class Latent(NamedTuple):
    """A normal distribution of the latent, (batch, latent) each; the log-variance is clamped already."""

    mean: Tensor
    log_variance: Tensor

    def drawn(self) -> Tensor:
        """Draw from it, so that gradients pass (Kingma & Welling 2014, arXiv:1312.6114, section 2.4)."""
        return self.mean + torch.randn_like(self.mean) * (0.5 * self.log_variance).exp()


class Summary(nn.Module):
    """Strided convolutions over a spectrogram, then the mean and the deviation of each channel over the valid time."""

    def __init__(self, size: Size, bands: int) -> None:
        super().__init__()
        widths = [bands, *[size.reference] * size.reference_layers]
        pairs = list(pairwise(widths))
        self.convolutions = nn.ModuleList(nn.Conv1d(i, o, 3, stride=2, padding=1) for i, o in pairs)
        self.norms = nn.ModuleList(nn.LayerNorm(o) for _, o in pairs)

    def forward(self, mel: Tensor, length: Tensor) -> Tensor:
        """mel: (batch, frames, bands), in the network's scale; length: (batch,) frames -> (batch, 2 * reference)."""
        x = mel * valid(length, mel.shape[1])[:, :, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            length = (length + 1) // 2
            x = norm(functional.gelu(convolution(x.transpose(1, 2)).transpose(1, 2)))
            x = x * valid(length, x.shape[1])[:, :, None]
        return _pooled(wide(x), length)


class ReferenceEncoder(nn.Module):
    """Who speaks, and how: two views of recordings (the latent after Zhang et al. 2019, arXiv:1812.04342)."""

    def __init__(self, size: Size, bands: int) -> None:
        super().__init__()
        self.who, self.how = Summary(size, bands), Summary(size, bands)
        self.speaker = nn.Linear(2 * size.reference, size.width)
        self.latent = nn.Linear(2 * size.reference, 2 * size.latent)

    def voice(self, mel: Tensor, length: Tensor) -> Tensor:
        """The speaker vector. mel: (batch, frames, bands) -> (batch, width)."""
        vector: Tensor = self.speaker(self.who(mel, length))
        return functional.layer_norm(wide(vector), vector.shape[1:])

    def manner(self, mel: Tensor, length: Tensor) -> Latent:
        """The latent's distribution. mel: (batch, frames, bands)."""
        mean, log_variance = wide(self.latent(self.how(mel, length))).chunk(2, 1)
        return Latent(mean, log_variance.clamp(*LOG_VARIANCE))


def _pooled(x: Tensor, length: Tensor) -> Tensor:
    """(batch, time, channels), zero where padded -> (batch, 2 * channels): mean and deviation."""
    count = length[:, None]
    mean = x.sum(1) / count
    apart = (x - mean[:, None]) * valid(length, x.shape[1])[:, :, None]
    return torch.cat([mean, (apart.square().sum(1) / count + 1e-5).sqrt()], 1)
