"""A convolutional network with batch norm on handwritten digits, by AdamW."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from faultbench.case import Run
from faultbench.cell import Workload
from faultbench.state_common import cut

from .common import epochs, seeded, split_digits, warmup_cosine

STEPS = 200


def network() -> nn.Sequential:
    """Two convolutions with batch norm, and a head with dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(384, 10),
    )


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = split_digits()
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": F.cross_entropy(model(batch["x"]), batch["y"])},
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=warmup_cosine(optimizer, STEPS),
    )


WORKLOAD = Workload(
    name="digits-cnn", title="A convolutional network with batch norm on digits, AdamW.", steps=STEPS, build=build
)
