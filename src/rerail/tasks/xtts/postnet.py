"""Convolutions that add the detail which the decoder, some frames at a time, left out.

They normalise each frame by itself. By the batch, as Tacotron 2 does, what is measured held-out jumps with the running
means of speakers and corpora that the last batches happened to have (docs/decisions, 28).
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


class Postnet(nn.Module):
    """Convolutions with normalisation and tanh after all but the last."""

    def __init__(self, bands: int, width: int, *, layers: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        pairs = list(pairwise([bands, *[width] * (layers - 1), bands]))
        self.convolutions = nn.ModuleList(nn.Conv1d(i, o, kernel, padding=kernel // 2) for i, o in pairs)
        self.norms = nn.ModuleList(nn.LayerNorm(o) for _, o in pairs[:-1])

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """mel: (batch, frames, bands), zero where padded; mask: (batch, frames) -> the residual, likewise."""
        x, valid = mel, mask[:, :, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=False):
            x = norm(convolution(x.transpose(1, 2)).transpose(1, 2)).tanh()
            x = functional.dropout(x, self.dropout, self.training) * valid
        last: Tensor = self.convolutions[-1](x.transpose(1, 2)).transpose(1, 2)
        return last * valid
