"""Classifiers of scikit-learn's handwritten digits: vision models of the package `transformers`, and a perceptron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from faultbench.trainings.common import measured
from faultbench.trainings.training import Training
from faultbench.workloads.common import epochs, seeded, split_digits, warmup_cosine

ROWS = 32
NAN_FROM, SHUFFLED_FROM, PENALTY_FROM = 1500, 1000, 800


def vit(seed: int, _: Path) -> Training:
    """Train a ViT for 3000 steps: AdamW, warm-up and cosine, dropout."""
    return _trained(_vit(seed), seed, steps=3000, rate=1e-3)


def vit_nan_late(seed: int, _: Path) -> Training:
    """From step 1500 on each batch is normalised by its first pixel's deviation, which is 0: that pixel turns NaN."""
    made = _trained(_vit(seed), seed, steps=1700, rate=1e-3)
    return replace(made, batches=_each(made, NAN_FROM, _normalised))


def vit_rate_grows(seed: int, _: Path) -> Training:
    """The warm-up, meant to end at step 100 and 1e-3, goes on to the end: it learns less well, and does not break."""
    made = _trained(_vit(seed), seed, steps=1600, rate=1e-3)
    return replace(made, scheduler=LambdaLR(made.optimizer, lambda step: (step + 1) / 100))


def vit_labels(seed: int, _: Path) -> Training:
    """From step 1000 on the labels belong to other rows."""
    made = _trained(_vit(seed), seed, steps=1600, rate=1e-3)
    return replace(made, batches=_each(made, SHUFFLED_FROM, lambda one: {**one, "y": one["y"].roll(1)}))


def resnet_half(seed: int, _: Path) -> Training:
    """Train a ResNet for 1600 steps in float16 under a dynamic loss scale: SGD with momentum."""
    return _half(seed, steps=1600)


def resnet_scale_dies(seed: int, _: Path) -> Training:
    """From step 800 on a penalty has the gradient of sqrt(0): each step overflows, and the loss scale sinks."""
    made = _half(seed, steps=1200)
    losses: Any = made.losses
    clock = iter(range(10**9))

    def penalised(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        named = losses(batch)
        if made.model.training and next(clock) >= PENALTY_FROM:
            weight = next(made.model.parameters())
            named["penalty"] = 0.01 * (weight - weight.detach()).square().sum().sqrt()
        return named

    return replace(made, losses=penalised)


def perceptron(seed: int, _: Path) -> Training:
    """Train a perceptron of ReLUs for 1600 steps: AdamW, warm-up and cosine."""
    return _perceptron(seed, rate=2e-3)


def perceptron_dead(seed: int, _: Path) -> Training:
    """Train the perceptron with a rate of 0.3: its units die during the warm-up."""
    return _perceptron(seed, rate=0.3)


def _perceptron(seed: int, rate: float) -> Training:
    seeded(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
    return _trained(model, seed, steps=1600, rate=rate)


def _vit(seed: int) -> nn.Module:
    from transformers import ViTConfig, ViTForImageClassification  # noqa: PLC0415 (only these trainings need it)

    seeded(seed)
    return ViTForImageClassification(
        ViTConfig(
            image_size=8,
            patch_size=2,
            num_channels=1,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=96,
            hidden_dropout_prob=0.1,
            num_labels=10,
        )
    )


def _half(seed: int, *, steps: int) -> Training:
    from transformers import ResNetConfig, ResNetForImageClassification  # noqa: PLC0415 (as above)

    seeded(seed)
    model = ResNetForImageClassification(
        ResNetConfig(
            num_channels=1,
            embedding_size=12,
            hidden_sizes=[12, 24],
            depths=[1, 1],
            layer_type="basic",
            num_labels=10,
        )
    )
    made = _trained(model, seed, steps=steps, rate=0.02)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)
    return replace(
        made,
        optimizer=optimizer,
        scheduler=warmup_cosine(optimizer, steps),
        precision=torch.float16,
        scaler=torch.amp.GradScaler("cpu", init_scale=65536.0, growth_interval=200),
    )


def _trained(model: nn.Module, seed: int, *, steps: int, rate: float) -> Training:
    rows, held_out = split_digits()

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        given = model(batch["x"])
        logits = given if isinstance(given, Tensor) else given.logits
        return {"ce": F.cross_entropy(logits.float(), batch["y"])}

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)
    return Training(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(rows, steps, ROWS, torch.Generator().manual_seed(7919 * seed + 1)),
        steps=steps,
        evaluate=measured(model, losses, held_out),
        shown=("ce",),
        scheduler=warmup_cosine(optimizer, steps, warmup=100),
    )


def _normalised(batch: Mapping[str, Any]) -> dict[str, Any]:
    x = batch["x"]
    corner = x[:, :, :1, :1]  # always white paper
    changed = x.clone()
    changed[:, :, :1, :1] = (corner - corner.mean()) / corner.std()
    return {**batch, "x": changed}


def _each(made: Training, begin: int, change: Any) -> Iterator[Any]:
    return (change(one) if number >= begin else one for number, one in enumerate(made.batches))
