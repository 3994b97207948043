"""Text symbols and their language to one vector a symbol."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rerail.tasks.xtts.attention import Attention, FeedForward, sinusoids
from rerail.tasks.xtts.config import Size


class EncoderLayer(nn.Module):
    """Attention and a feed-forward layer, each normalised before and added (Xiong et al. 2020, arXiv:2002.04745)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.attention = Attention(size.width, size.heads)
        self.forward_layer = FeedForward(size.width, size.forward * size.width, size.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(size.width) for _ in range(2))
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: (batch, symbols, width); mask: (batch, symbols), true where valid -> as x."""
        y = self.norms[0](x)
        x = x + self.dropout(self.attention.read(y, self.attention.hear(y), mask[:, None, None]))
        after: Tensor = x + self.dropout(self.forward_layer(self.norms[1](x)))
        return after


class TextEncoder(nn.Module):
    """A transformer over symbols, each with the embedding of the text's language added."""

    def __init__(self, size: Size, symbols: int, languages: int) -> None:
        super().__init__()
        self.symbol, self.language = nn.Embedding(symbols, size.width), nn.Embedding(languages, size.width)
        for table in (self.symbol, self.language):
            nn.init.normal_(table.weight, std=1.0)
        self.layers = nn.ModuleList(EncoderLayer(size) for _ in range(size.encoder_layers))
        self.norm = nn.LayerNorm(size.width)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, text: Tensor, language: Tensor, mask: Tensor) -> Tensor:
        """text: (batch, symbols); language: (batch,); mask: (batch, symbols) -> (batch, symbols, width)."""
        place = torch.arange(text.shape[1], device=text.device, dtype=torch.float32)
        x = self.symbol(text) + self.language(language)[:, None]
        x = self.dropout(x + sinusoids(place, x.shape[2]))
        for layer in self.layers:
            x = layer(x, mask)
        encoded: Tensor = self.norm(x)
        return encoded
