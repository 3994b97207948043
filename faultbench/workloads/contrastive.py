"""Images matched with sounds by a symmetric InfoNCE with learned temperature, by AdamW.

The images are handwritten digits. Each image's sound is the image played: one tone a row of pixels, loud where the row
is dark, with noise; the model gets the log spectrum of it.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from faultbench.state_common import cut, mlp

from .common import HELD_OUT_SEED, epochs, seeded, split_digits, warmup_cosine

STEPS = 200
RATE, SAMPLES = 4000, 1024
PARTS = 4  # the image is played in four parts, one pair of columns each


@cache
def pairs() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give training and held-out rows: `x` images (rows, 1, 8, 8), `y` log spectra (rows, 4, 32)."""
    noise = torch.Generator().manual_seed(HELD_OUT_SEED)
    training, held_out = ({"x": rows["x"], "y": spectra(rows["x"], noise)} for rows in split_digits())
    return training, held_out


def spectra(images: Tensor, noise: torch.Generator) -> Tensor:
    """Play images (rows, 1, 8, 8) and give the natural log of the spectrum's magnitude, (rows, 4, 32)."""
    loud = images[:, 0].reshape(-1, 8, PARTS, 2).mean(3).transpose(1, 2)  # (rows, parts, tones)
    time = torch.arange(SAMPLES) / RATE
    tones = torch.sin(2 * math.pi * 200.0 * torch.arange(1, 9)[:, None] * time)
    wave = loud @ tones + 0.1 * torch.randn(len(images), PARTS, SAMPLES, generator=noise)
    magnitude = torch.fft.rfft(wave).abs()[..., 1:].reshape(len(images), PARTS, 32, -1).mean(3)
    return magnitude.clamp(min=1e-5).log()


class Towers(nn.Module):
    """An image tower, a sound tower, and a temperature that is kept within [0.01, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), mlp(192, 64, 16)
        )
        self.sound = nn.Sequential(nn.Flatten(), nn.LayerNorm(PARTS * 32), mlp(PARTS * 32, 64, 16))
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the matrix of scores (batch, batch)."""
        image, sound = F.normalize(self.image(x), dim=-1), F.normalize(self.sound(y), dim=-1)
        return self.log_scale.clamp(0.0, math.log(100.0)).exp() * image @ sound.t()


def build(seed: int) -> Run:
    """Build the run."""
    generator = seeded(seed)
    training, held_out = pairs()
    model = Towers()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        scores = model(batch["x"], batch["y"])
        own = torch.arange(len(scores))
        return {"nce": (F.cross_entropy(scores, own) + F.cross_entropy(scores.t(), own)) / 2}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=warmup_cosine(optimizer, STEPS),
    )


WORKLOAD = Workload(
    name="contrastive",
    title="Digits matched with sounds, InfoNCE with learned temperature, AdamW.",
    steps=STEPS,
    build=build,
)
