"""Two towers to one space: pictures and voices of an identity lie near each other there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from rerail.tasks.face_voice import heads
from rerail.tasks.face_voice.temperature import Temperature

Batch = Mapping[str, Any]
SIGLIP_BIAS = -10.0  # with it the many negatives of a batch begin as such (arXiv:2303.15343, section 3.2)


class Embedded(NamedTuple):
    """Embeddings of length 1, (batch, width) each."""

    pictures: Tensor
    voices: Tensor


class Tower(nn.Module):
    """An encoder and its head."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, x: Tensor) -> Tensor:
        """Return embeddings of length 1, (batch, width)."""
        embedded: Tensor = functional.normalize(self.head(self.encoder(x)), dim=1)
        return embedded


class Matcher(nn.Module):
    """Pictures and voices to one space, and the temperature of their cosines.

    `chunk` rows are encoded at once in training, and encoded again on the way back, so that a batch takes the memory of
    a chunk and its loss still sees all of it (as gradient caching does, Gao et al. 2021, arXiv:2101.06983); 0: all.
    """

    def __init__(
        self,
        pictures: nn.Module,
        voices: nn.Module,
        *,
        width: int = 512,
        head: heads.Name = "simple",
        start: heads.Start = "xavier",
        temperature: float = 0.1,
        bias: float | None = None,
        chunk: int = 0,
    ) -> None:
        super().__init__()
        self.pictures = Tower(pictures, heads.head(head, _features(pictures), width, start))
        self.voices = Tower(voices, heads.head(head, _features(voices), width, start))
        self.temperature = Temperature(temperature, bias=bias)
        self.chunk = chunk

    def forward(self, batch: Batch) -> Embedded:
        """Embed a batch of `image` (batch, 3, height, width) in [0, 1] and `audio` (batch, samples) in [-1, 1]."""
        return Embedded(self._embed(self.pictures, batch["image"]), self._embed(self.voices, batch["audio"]))

    def _embed(self, tower: Tower, x: Tensor) -> Tensor:
        if not self.chunk or not self.training or len(x) <= self.chunk:
            embedded: Tensor = tower(x)
            return embedded
        return torch.cat([checkpoint(tower, part, use_reentrant=False) for part in torch.split(x, self.chunk)])


def _features(encoder: nn.Module) -> int:
    features = encoder.features
    assert isinstance(features, int)
    return features


def gap(embedded: Embedded) -> Tensor:
    """Return the distance between the mean picture and the mean voice, 0 to 2 (Liang et al. 2022, arXiv:2203.02053)."""
    apart: Tensor = torch.linalg.vector_norm(embedded.pictures.mean(0) - embedded.voices.mean(0))
    return apart
