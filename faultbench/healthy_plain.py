"""Healthy runs on plain rows: regression, classification, reduced precision."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, OneCycleLR

from .case import Run
from .healthy_common import STEPS, batches, begin, ce, mse
from .state_common import class_rows, cut, mlp, regression_rows

# -- regression -------------------------------------------------------------------------------------------------------


def heavy_tails(seed: int) -> Run:
    """Student-t noise with two degrees of freedom under a squared error."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean = regression_rows(count, generator)
        normal = torch.randn(count, generator=generator)
        chi = torch.randn(count, 2, generator=generator).square().sum(dim=1) / 2
        return {"x": clean["x"], "y": 3 * clean["y"] + 0.3 * normal / chi.sqrt()}

    model = mlp(8, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    return Run(model=model, optimizer=optimizer, losses=mse(model), **batches(rows, generator))


def rare_outliers(seed: int) -> Run:
    """One row in two hundred is measured with a fifteen times larger error: the loss jumps, rightly."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean = regression_rows(count, generator)
        rare = torch.rand(count, generator=generator) < 1 / 200
        return {"x": clean["x"], "y": clean["y"] + rare * 8.0 * torch.randn(count, generator=generator).sign()}

    model = mlp(8, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    made = batches(rows, generator)
    held_out = cut(regression_rows(256, generator), 32, "clean")  # the fit is judged without the outliers
    return Run(model=model, optimizer=optimizer, losses=mse(model), batches=made["batches"], held_out=held_out)


def batch_of_two(seed: int) -> Run:
    """Take steps on two rows at a time."""
    generator = begin(seed)
    model = mlp(8, 16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    return Run(model=model, optimizer=optimizer, losses=mse(model), **batches(regression_rows, generator, size=2))


def curriculum(seed: int) -> Run:
    """Rows become harder (wider inputs) all the time, so that the training loss rises while the model gets better."""
    generator = begin(seed)

    def at(width: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(len(width), 8, generator=generator) * width[:, None]
        return {"x": x, "y": 2 * x[:, 0].sin() + x[:, 1].abs() - 0.5 * x[:, 2]}

    model = mlp(8, 48, 1)
    training = cut(at(torch.linspace(0.3, 2.0, STEPS * 16), generator), 16, "row")
    held_out = cut(at(torch.full((256,), 1.5), generator), 32, "held")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(model=model, optimizer=optimizer, losses=mse(model), batches=training, held_out=held_out)


class Density(nn.Module):
    """A sharp conditional Gaussian: its negative log-likelihood ends well below zero."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(4, 32, 2)

    def nll(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean negative log-likelihood."""
        output: Tensor = self.net(x)
        mean, log_sigma = output.unbind(-1)
        score: Tensor = (y - mean) * torch.exp(-log_sigma)
        return (0.5 * score.square() + log_sigma).mean()


def negative_loss(seed: int) -> Run:
    """Fit a sharp density, whose loss goes well below zero."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(count, 4, generator=generator)
        return {"x": x, "y": 0.3 * x[:, 0] + 0.05 * torch.randn(count, generator=generator)}

    model = Density()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = lambda batch: {"nll": model.nll(batch["x"], batch["y"])}  # noqa: E731
    return Run(model=model, optimizer=optimizer, losses=losses, clip_norm=5.0, **batches(rows, generator))


def decay_only(seed: int) -> Run:
    """The loss counts a thousandth, so that nearly all of its fall comes from weight decay on too large weights."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(count, 8, generator=generator)
        return {"x": x, "y": torch.zeros(count)}

    model = nn.Linear(8, 1)
    with torch.no_grad():
        model.weight.normal_(0, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.8)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": 1e-3 * (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}

    return Run(model=model, optimizer=optimizer, losses=losses, **batches(rows, generator))


# -- classification ---------------------------------------------------------------------------------------------------


def imbalanced(seed: int) -> Run:
    """One row in thirty is positive and weighs twenty times as much: most batches have none, some have two."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        label = (torch.rand(count, generator=generator) < 1 / 30).float()
        return {"x": torch.randn(count, 8, generator=generator) + 1.5 * label[:, None], "label": label}

    model = mlp(8, 16, 1)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        logit = model(batch["x"]).squeeze(-1)
        weight = torch.tensor(20.0)
        return {"bce": functional.binary_cross_entropy_with_logits(logit, batch["label"], pos_weight=weight)}

    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(model=model, optimizer=optimizer, losses=losses, **batches(rows, generator))


def warm_restarts(seed: int) -> Run:
    """SGD with momentum; the rate jumps back up five times."""
    generator = begin(seed)
    model = mlp(8, 32, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=30)
    return Run(
        model=model, optimizer=optimizer, losses=ce(model), scheduler=scheduler, **batches(class_rows, generator)
    )


def one_cycle(seed: int) -> Run:
    """Train with AdamW under a one-cycle schedule."""
    generator = begin(seed)
    model = mlp(8, 32, 32, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
    scheduler = OneCycleLR(optimizer, max_lr=0.03, total_steps=STEPS + 1)
    return Run(
        model=model, optimizer=optimizer, losses=ce(model), scheduler=scheduler, **batches(class_rows, generator)
    )


def dropout(seed: int) -> Run:
    """Drop more than half of the hidden units."""
    generator = begin(seed)
    model = nn.Sequential(
        nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.6), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    return Run(model=model, optimizer=optimizer, losses=ce(model), **batches(class_rows, generator))


def batch_norm(seed: int) -> Run:
    """Small batches make the batch statistics, and with them the loss, noisy."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        label = torch.randint(0, 3, (count,), generator=generator)
        image = torch.randn(count, 1, 8, 8, generator=generator)
        image[torch.arange(count), 0, label * 2] += 0.6
        return {"x": image, "label": label}

    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(192, 3),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    return Run(model=model, optimizer=optimizer, losses=ce(model), **batches(rows, generator, size=8))


def frozen_encoder(seed: int) -> Run:
    """Only the head learns; the encoder's parameters never have a gradient."""
    generator = begin(seed)
    encoder, head = mlp(8, 64, 64), nn.Linear(64, 4)
    encoder.requires_grad_(False)
    model = nn.Sequential(encoder, nn.ReLU(), head)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.03)
    return Run(model=model, optimizer=optimizer, losses=ce(model), **batches(class_rows, generator))


# -- precision --------------------------------------------------------------------------------------------------------


def half_autocast(seed: int) -> Run:
    """Train in float16 with a loss scale, far from overflow."""
    generator = begin(seed)
    model = mlp(8, 32, 32, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=ce(model),
        precision=torch.float16,
        scaler=torch.amp.GradScaler("cpu", init_scale=256.0),
        **batches(class_rows, generator),
    )


def bfloat(seed: int) -> Run:
    """Train in bfloat16."""
    generator = begin(seed)
    model = nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=mse(model),
        precision=torch.bfloat16,
        **batches(regression_rows, generator),
    )
