"""Convolutions that add the detail which the decoder, going frame by frame, left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.layers import convolution_block, convolve


class Postnet(nn.Module):
    """Convolutions with tanh after all but the last (Shen et al. 2018, section 2.2: five of them)."""

    def __init__(self, bands: int, width: int, *, layers: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        widths = [bands, *[width] * (layers - 1), bands]
        gains = ["tanh"] * (layers - 1) + ["linear"]
        blocks = zip(widths[:-1], widths[1:], gains, strict=True)
        self.convolutions = nn.ModuleList(convolution_block(i, o, kernel, gain) for i, o, gain in blocks)

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """mel: (batch, frames, bands), zero where padded; mask: (batch, frames) -> the residual, likewise."""
        x = mel.transpose(1, 2)
        last = len(self.convolutions) - 1
        for index, block in enumerate(self.convolutions):
            x = convolve(block, x, mask)
            x = functional.dropout(x if index == last else torch.tanh(x), self.dropout, self.training)
        return x.transpose(1, 2)
