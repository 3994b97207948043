"""A variational autoencoder of handwritten digits, by Adam."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import cut, mlp

from .common import constant, epochs, seeded, split_digits

STEPS = 250


class Vae(nn.Module):
    """Two perceptrons round a latent of eight; measured at the mean of the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = mlp(64, 96, 16), mlp(8, 96, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: (batch, 64) -> logits (batch, 64), mean and log variance of the latent (batch, 8)."""
        mean, log_var = self.encode(x).chunk(2, dim=-1)
        log_var = log_var.clamp(-8, 8)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var) if self.training else mean
        return self.decode(z), mean, log_var


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = ({"x": rows["x"].flatten(1)} for rows in split_digits())
    model = Vae()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        logits, mean, log_var = model(batch["x"])
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1).mean()
        error = F.binary_cross_entropy_with_logits(logits, batch["x"], reduction="none").sum(-1).mean()
        return {"reconstruction": error, "kl": kl}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=constant(optimizer),
        weights={"kl": 0.5},
    )


WORKLOAD = Workload(name="vae", title="A variational autoencoder of digits, Adam.", steps=STEPS, build=build)
