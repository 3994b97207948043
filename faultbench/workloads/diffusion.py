"""A denoising diffusion model of handwritten digits that predicts the noise, by AdamW, measured at averaged weights.

The noise of a training step comes from torch's global generator, as it does in most such code. The averaged weights
are buffers of the model, so that a checkpoint holds them, and a rewind puts them back.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import cut

from .common import epochs, seeded, split_digits, warmup_cosine

STEPS = 300
WIDTH, DECAY = 128, 0.97


def signal(t: Tensor) -> Tensor:
    """Give the share of the image that is left at time t in [0, 1]: the cosine schedule of Nichol & Dhariwal 2021."""
    return torch.cos(0.5 * math.pi * (0.02 + 0.96 * t)).square()


def noised(x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """x, noise: (batch, 64); t: (batch,) in [0, 1]. Mix image and noise so that the variance stays (Ho et al. 2020)."""
    share = signal(t)[:, None]
    return share.sqrt() * x + (1 - share).sqrt() * noise


class Layer(nn.Module):
    """A residual layer that is told the time."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.inner, self.act, self.outer = (
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, WIDTH),
            nn.SiLU(),
            nn.Linear(WIDTH, WIDTH),
        )
        self.time = nn.Linear(16, WIDTH)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x: (batch, width); time: (batch, 16)."""
        hidden: Tensor = self.outer(self.act(self.inner(self.norm(x)) + self.time(time)))
        return x + hidden


class Denoiser(nn.Module):
    """Three residual layers; the averages of all parameters stand beside them as buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, WIDTH)
        self.layers = nn.ModuleList([Layer() for _ in range(3)])
        self.act, self.last = nn.SiLU(), nn.Linear(WIDTH, 64)
        for name, parameter in list(self.named_parameters()):
            self.register_buffer(mean_of(name), parameter.detach().clone())

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x: (batch, 64), noised; t: (batch,) in [0, 1] -> the noise in it (batch, 64)."""
        angle = t[:, None] * math.pi * torch.arange(1, 9)
        time = torch.cat([angle.sin(), angle.cos()], dim=1)
        hidden = self.first(x)
        for layer in self.layers:
            hidden = layer(hidden, time)
        noise: Tensor = self.last(self.act(hidden))
        return noise

    def averages(self) -> dict[str, Tensor]:
        """Give the averaged weights by the names of the parameters."""
        return {name: self.get_buffer(mean_of(name)) for name, _ in self.named_parameters()}

    @torch.no_grad()
    def average(self) -> None:
        """Move the averages towards the weights."""
        for name, parameter in self.named_parameters():
            self.get_buffer(mean_of(name)).lerp_(parameter, 1 - DECAY)


def mean_of(name: str) -> str:
    """Name the buffer that holds the average of a parameter."""
    return "mean_" + name.replace(".", "_")


def scaled() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give training and held-out digits as rows (64,) in [-1, 1]."""
    training, held_out = ({"x": 2.0 * rows["x"].flatten(1) - 1.0} for rows in split_digits())
    return training, held_out


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = scaled()
    model = Denoiser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)

    def losses(batch: Batch) -> dict[str, Tensor]:
        x = batch["x"]
        if model.training:
            t, noise = torch.rand(len(x)), torch.randn_like(x)
            return {"noise": F.mse_loss(model(noised(x, t, noise), t), noise)}
        fixed = torch.Generator().manual_seed(0)  # measured with the same noise each time
        t, noise = torch.rand(len(x), generator=fixed), torch.randn(x.shape, generator=fixed)
        told = functional_call(model, model.averages(), (noised(x, t, noise), t))
        return {"noise": F.mse_loss(told, noise)}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 64, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=warmup_cosine(optimizer, STEPS, floor=0.05),
        after_commit=model.average,
    )


WORKLOAD = Workload(
    name="diffusion",
    title="A diffusion model of digits with averaged weights, AdamW.",
    steps=STEPS,
    build=build,
    kept_back=True,
)
