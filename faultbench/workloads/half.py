"""A perceptron on handwritten digits in float16 autocast with a dynamic loss scale, by SGD with momentum."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Workload
from faultbench.state_common import cut

from .common import epochs, seeded, split_digits, warmup_cosine

STEPS = 200


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = split_digits()
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 64),
        nn.LayerNorm(64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.LayerNorm(64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": F.cross_entropy(model(batch["x"]).float(), batch["y"])},
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=warmup_cosine(optimizer, STEPS),
        precision=torch.float16,
        scaler=torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=100),
    )


WORKLOAD = Workload(
    name="half", title="A classifier of digits in float16 with a loss scale, SGD.", steps=STEPS, build=build
)
