"""A generator and its critic on a ring of Gaussians, in one step: two parameter groups, two losses.

The generator's loss passes through a frozen copy of the critic's weights, and the critic's through a detached sample,
so that each loss moves its own half only. Neither loss says how good the generator is, so the held-out loss is the
energy distance between held-out points and samples (Szekely & Rizzo 2013, 2 E|a-b| - E|a-a'| - E|b-b'|).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import mlp

from .common import dealt, seeded, warmup_cosine

STEPS = 300


def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Give points of six Gaussians on a circle of radius 2, and latents of four."""
    angle = torch.randint(0, 6, (count,), generator=generator) * (math.pi / 3)
    centre = 2.0 * torch.stack([angle.cos(), angle.sin()], dim=1)
    noise = torch.randn(count, 2, generator=generator)
    return {"x": centre + 0.5 * noise, "z": torch.randn(count, 4, generator=generator)}


def energy_distance(a: Tensor, b: Tensor) -> Tensor:
    """a, b: (count, 2)."""
    return 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    model = nn.ModuleDict({"generator": mlp(4, 64, 64, 2), "critic": mlp(2, 64, 64, 1)})
    maker, critic = model["generator"], model["critic"]
    optimizer = torch.optim.Adam(
        [{"params": maker.parameters(), "lr": 2e-3}, {"params": critic.parameters(), "lr": 6e-3}], betas=(0.0, 0.9)
    )

    def losses(batch: Batch) -> dict[str, Tensor]:
        made = maker(batch["z"])
        if not model.training:
            return {"distance": energy_distance(made, batch["x"])}
        frozen = {name: one.detach() for name, one in critic.named_parameters()}
        fooled: Tensor = functional_call(critic, frozen, (made,))
        real, false = critic(batch["x"]), critic(made.detach())
        return {"generator": F.softplus(-fooled).mean(), "critic": (F.softplus(-real) + F.softplus(false)).mean()}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        scheduler=warmup_cosine(optimizer, STEPS, warmup=10, floor=0.05),
        **dealt(rows, generator, STEPS, size=64),
    )


WORKLOAD = Workload(
    name="gan", title="A generator and its critic on a ring of Gaussians, Adam.", steps=STEPS, build=build
)
