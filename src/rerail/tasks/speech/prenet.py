"""Layers that blur the previous frames, so that the text is worth reading."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.layers import Linear, dropout


class Prenet(nn.Module):
    """Two layers with dropout that never ends (Shen et al. 2018, arXiv:1712.05884, section 2.2)."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Linear(i, o, bias=False) for i, o in ((inputs, width), (width, width)))
        self.dropout = dropout

    def forward(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """x: (..., reduction * bands) -> (..., width); the dropout stays on outside training too.

        Given fewer frames than the widest step holds, they are taken for the last ones of it.
        """
        for layer in self.layers:
            assert isinstance(layer, Linear)
            x = torch.relu(functional.linear(x, layer.linear_layer.weight[:, -x.shape[-1] :]))
            x = dropout(x, self.dropout, generator)
        return x
