"""An LSTM that tells from a sequence which of four processes made it, by Adam with clipping."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Workload

from .common import constant, dealt, seeded

STEPS = 200
LENGTH = 24


class Classifier(nn.Module):
    """An LSTM over two channels; the mean of its states is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 32, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, steps, 2) -> logits (batch, 4)."""
        states, _ = self.lstm(x)
        logits: Tensor = self.head(self.drop(states.mean(1)))
        return logits


def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Noisy rotations of four speeds from a random angle."""
    kind = torch.randint(0, 4, (count,), generator=generator)
    angle = 6.2832 * torch.rand(count, 1, generator=generator)
    speed = torch.tensor([0.2, 0.5, 0.9, -0.5])[kind][:, None]
    turned = angle + speed * torch.arange(LENGTH)
    x = torch.stack([turned.cos(), turned.sin()], dim=2)
    return {"x": x + 0.4 * torch.randn(x.shape, generator=generator), "y": kind}


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": F.cross_entropy(model(batch["x"]), batch["y"])},
        scheduler=constant(optimizer),
        clip_norm=1.0,
        **dealt(rows, generator, STEPS, size=32),
    )


WORKLOAD = Workload(name="lstm", title="An LSTM classifier of sequences, Adam with clipping.", steps=STEPS, build=build)
