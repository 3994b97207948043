"""A deep-enough perceptron on a smooth function, by SGD with momentum: the plainest run there is."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Workload
from faultbench.state_common import mlp, regression_rows

from .common import constant, dealt, seeded

STEPS = 300


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    model = mlp(8, 48, 48, 48, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"mse": F.mse_loss(model(batch["x"]).squeeze(-1), batch["y"])},
        scheduler=constant(optimizer),
        **dealt(regression_rows, generator, STEPS),
    )


WORKLOAD = Workload(
    name="regression", title="A perceptron on a smooth function, SGD with momentum.", steps=STEPS, build=build
)
