"""Handwritten digits as sets of points, pooled by attention, by SGD with Nesterov's momentum in one cycle of the rate."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import cut

from .common import epochs, seeded, split_digits

STEPS = 250
MOST, WIDTH, QUERIES, WAVES = 44, 48, 6, 3


def as_points(images: Tensor) -> tuple[Tensor, Tensor]:
    """images: (rows, 1, 8, 8) in [0, 1] -> points (rows, 44, 3) of place and ink, their count (rows,).

    The points are the darkest pixels over a quarter; places lie in [-1, 1], and what is behind the count is zero.
    """
    ink, order = images.flatten(1).sort(dim=1, descending=True)
    place = torch.stack([order % 8, order // 8], dim=2) / 3.5 - 1.0
    points = torch.cat([place, ink[..., None]], dim=2)[:, :MOST]
    count = (ink > 0.25).sum(1).clamp(max=MOST)
    return points * (torch.arange(MOST) < count[:, None])[..., None], count


@cache
def sets() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give training and held-out rows: `x` points, `x_length` their count, `y` the digit."""
    made = []
    for rows in split_digits():
        points, count = as_points(rows["x"])
        made.append({"x": points, "x_length": count, "y": rows["y"]})
    return made[0], made[1]


def waves(x: Tensor) -> Tensor:
    """x: (..., 3) of place and ink -> ink, and sine and cosine of the places at three wavelengths, (..., 13)."""
    angle = x[..., :2, None] * (0.5 * math.pi * 2.0 ** torch.arange(WAVES))
    return torch.cat([x[..., 2:], angle.sin().flatten(-2), angle.cos().flatten(-2)], dim=-1)


class Cloud(nn.Module):
    """A perceptron on every point, learned queries that attend to the points, a batch norm, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.Sequential(
            nn.Linear(1 + 4 * WAVES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU()
        )
        self.score = nn.Linear(WIDTH, QUERIES)
        self.norm = nn.BatchNorm1d(QUERIES * WIDTH)
        self.mix, self.act, self.head = nn.Linear(QUERIES * WIDTH, 64), nn.ReLU(), nn.Linear(64, 10)

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        """x: (batch, points, 3), length: (batch,) -> logits (batch, 10)."""
        hidden = self.each(waves(x))
        missing = torch.arange(x.shape[1]) >= length[:, None]
        share = self.score(hidden).masked_fill(missing[..., None], -math.inf).softmax(1)  # (batch, points, queries)
        pooled = (share.transpose(1, 2) @ hidden).flatten(1)
        logits: Tensor = self.head(self.act(self.mix(self.norm(pooled))))
        return logits


def one_cycle(step: int) -> float:
    """Rise to the rate over a third of the run, then fall to a hundredth of it (Smith & Topin 2019)."""
    rise = STEPS // 3
    if step < rise:
        return 0.1 + 0.9 * step / rise
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / (STEPS - rise))))


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = sets()
    model = Cloud()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"ce": F.cross_entropy(model(batch["x"], batch["x_length"]), batch["y"])}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=LambdaLR(optimizer, one_cycle),
    )


WORKLOAD = Workload(
    name="points",
    title="Digits as sets of points, attention pooling, SGD with Nesterov's momentum in one cycle.",
    steps=STEPS,
    build=build,
    kept_back=True,
)
