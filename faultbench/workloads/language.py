"""A tiny causal transformer on the bytes of real English: the licence texts of this repository."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Workload
from faultbench.state_common import cut
from rerail.data import demo

from .common import HELD_OUT_SEED, seeded, warmup_cosine

STEPS = 200
SPAN, WIDTH, BLOCKS, HEADS = 48, 48, 2, 3


@cache
def text() -> Tensor:
    """Give the texts as 7-bit codes."""
    files = (Path(__file__).parents[2] / "LICENSE", demo.folder() / "LICENSE")
    content = b"\n".join(file.read_bytes() for file in files)
    return torch.tensor([code for code in content if code < 128])


class Block(nn.Module):
    """Attention and a feed-forward layer, each after a norm and round a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.project, self.back = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH), nn.Dropout(0.05))

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, span, width)."""
        batch, span, _ = x.shape
        heads = self.project(self.norm1(x)).view(batch, span, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)
        scores = query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        later = torch.ones(span, span, dtype=torch.bool).triu(1)
        read = scores.masked_fill(later, float("-inf")).softmax(-1) @ value
        x = x + self.back(read.transpose(1, 2).reshape(batch, span, WIDTH))
        return x + self.feed(self.norm2(x))


class LanguageModel(nn.Module):
    """Predicts the next byte."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(128, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(SPAN, WIDTH))
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 128)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, span) int64 -> logits (batch, span, 128)."""
        logits: Tensor = self.out(self.norm(self.blocks(self.embed(x) + self.place)))
        return logits


def rows(count: int, generator: torch.Generator, codes: Tensor) -> dict[str, Tensor]:
    """Give windows of the text from random places, and the same one byte later."""
    place = torch.randint(0, len(codes) - SPAN - 1, (count, 1), generator=generator) + torch.arange(SPAN)
    return {"x": codes[place], "y": codes[place + 1]}


def build(seed: int) -> Run:
    """Build the run; the last tenth of the text is held out."""
    generator = seeded(seed)
    codes = text()
    edge = len(codes) * 9 // 10
    model = LanguageModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.98), weight_decay=0.05)
    held_out = rows(64, torch.Generator().manual_seed(HELD_OUT_SEED), codes[edge:])
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": F.cross_entropy(model(batch["x"]).flatten(0, 1), batch["y"].flatten())},
        batches=cut(rows(STEPS * 16, generator, codes[:edge]), 16, "row"),
        held_out=cut(held_out, 32, "held"),
        scheduler=warmup_cosine(optimizer, STEPS),
        clip_norm=1.0,
    )


WORKLOAD = Workload(
    name="language-model", title="A causal transformer on the bytes of real text, AdamW.", steps=STEPS, build=build
)
