"""A residual network with layer norms in bfloat16 autocast, with two heads and two losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload

from .common import dealt, seeded, warmup_cosine

STEPS = 200
WIDTH = 48


class Residual(nn.Module):
    """A feed-forward layer after a norm, round a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.inner = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, width)."""
        return x + self.inner(self.norm(x))


class Network(nn.Module):
    """Three residual layers and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, WIDTH), Residual(), Residual(), Residual(), nn.LayerNorm(WIDTH))
        self.value, self.side = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (batch, 8) -> value and logit, each (batch,)."""
        hidden = self.body(x)
        return self.value(hidden).squeeze(-1).float(), self.side(hidden).squeeze(-1).float()


def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Give eight features, a smooth value, and on which side of a surface they lie."""
    x = torch.randn(count, 8, generator=generator)
    return {"x": x, "y": (x[:, 0] * x[:, 1]).tanh() + x[:, 2].sin(), "side": (x[:, 3] + x[:, 4] * x[:, 5] > 0).float()}


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        value, side = model(batch["x"])
        bce = F.binary_cross_entropy_with_logits(side, batch["side"])
        return {"value": F.mse_loss(value, batch["y"]), "side": bce}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        scheduler=warmup_cosine(optimizer, STEPS),
        precision=torch.bfloat16,
        **dealt(rows, generator, STEPS, size=32),
    )


WORKLOAD = Workload(
    name="bfloat", title="A residual network with two losses in bfloat16, AdamW.", steps=STEPS, build=build
)
