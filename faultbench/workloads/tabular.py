"""A table of mixed scales: attention over its columns, three tasks at once, by RMSprop.

The table is scikit-learn's breast cancer data: 30 measures of a cell from thousandths to thousands. One task is the
diagnosis, one the logarithm of the largest area, which is taken out of the table, one the measures that were hidden.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import cut

from .common import HELD_OUT_SEED, epochs, seeded, warmup_cosine

STEPS = 250
COLUMNS, WIDTH, HIDDEN = 29, 24, 0.3
AREA = 23  # the column of the largest area


@cache
def tables() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give training and held-out rows: `x` (rows, 29) as measured, `area` (rows,) standardised log, `y` (rows,)."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 (only this workload needs it)

    measures, diagnosis = load_breast_cancer(return_X_y=True)
    x, y = torch.from_numpy(measures).float(), torch.from_numpy(diagnosis).long()
    area = x[:, AREA].log()
    rest = torch.cat([x[:, :AREA], x[:, AREA + 1 :]], dim=1)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(HELD_OUT_SEED))
    rows = {"x": rest[order], "area": ((area - area.mean()) / area.std())[order], "y": y[order]}
    return {key: one[128:] for key, one in rows.items()}, {key: one[:128] for key, one in rows.items()}


class Table(nn.Module):
    """One token a column, one layer of attention among them, pooled by attention, and three heads."""

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.column, self.slope = (nn.Parameter(0.3 * torch.randn(COLUMNS, WIDTH)) for _ in range(2))
        self.unknown = nn.Parameter(torch.zeros(WIDTH))
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.ask, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.feed = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.pool, self.told = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)
        self.drop, self.heads = nn.Dropout(0.1), nn.Linear(WIDTH, 3)

    def standard(self, x: Tensor) -> Tensor:
        """x: (batch, columns) as measured -> with mean 0 and deviation 1 by column."""
        scaled: Tensor = (x - self.mean) / self.spread
        return scaled

    def forward(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """x: (batch, columns), hidden: the same, bool -> area and logits (batch, 3), the measures (batch, columns)."""
        seen = self.standard(x)[..., None] * self.slope
        tokens = torch.where(hidden[..., None], self.unknown, seen) + self.column
        near = self.norm1(tokens)
        tokens = tokens + F.scaled_dot_product_attention(self.ask(near), self.key(near), self.value(near))
        tokens = tokens + self.feed(self.norm2(tokens))
        pooled = (self.pool(tokens).softmax(1) * tokens).sum(1)
        return self.heads(self.drop(pooled)), self.told(tokens).squeeze(-1)


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = tables()
    model = Table(training["x"].mean(0), training["x"].std(0))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95)

    def losses(batch: Batch) -> dict[str, Tensor]:
        x = batch["x"]
        drawn = None if model.training else torch.Generator().manual_seed(0)
        hidden = torch.rand(x.shape, generator=drawn) < HIDDEN
        heads, measures = model(x, hidden)
        missed = (measures - model.standard(x)).square() * hidden
        return {
            "diagnosis": F.cross_entropy(heads[:, 1:], batch["y"]),
            "area": F.smooth_l1_loss(heads[:, 0], batch["area"]),
            "hidden": missed.sum() / hidden.sum(),
        }

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=warmup_cosine(optimizer, STEPS, warmup=10, floor=0.02),
        weights={"hidden": 0.5},
    )


WORKLOAD = Workload(
    name="tabular",
    title="A table of mixed scales with three losses, RMSprop.",
    steps=STEPS,
    build=build,
    kept_back=True,
)
