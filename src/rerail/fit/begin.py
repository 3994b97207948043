"""How a run begins: its parts are built, put where they are trained, and put under the guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rerail.fit.ahead import Ahead
from rerail.fit.config import FitConfig
from rerail.fit.device import Moved, chosen, kept_on
from rerail.fit.ema import Ema
from rerail.fit.optimizer import FreeAverage
from rerail.fit.schedule import FREE
from rerail.fit.task import Parts, Task
from rerail.guard import Guard, Keep, Listener, Losses

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
MIXED = "mixed"
Averaged = Ema | FreeAverage


def guarded(
    parts: Parts,
    config: FitConfig,
    *,
    run: Path | None = None,
    resume: bool | Path = False,
    listeners: Sequence[Listener] = (),
    describe: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
    averaged: Averaged | None = None,
) -> Guard:
    """Put a task's parts under the guard; `keep` in place of what the config says of snapshots and checkpoints.

    `averaged` are the weights that are measured in place of those that are trained (`averages`).
    """
    return Guard(
        parts.model,
        parts.optimizer,
        parts.losses,
        weights=parts.weights,
        scheduler=parts.scheduler,
        precision=precision(parts, config),
        clip_norm=config.clip_norm,
        plan=parts.plan,
        keep=keep or Keep(snapshot_every=config.snapshot_every, checkpoint_every=config.checkpoint_every),
        run=run,
        resume=resume,
        data=parts.data,
        state=parts.state if averaged is None else (*parts.state, averaged),
        after_commit=None if averaged is None else averaged.update,
        scaler=_scaler(parts, config),
        listeners=listeners,
        config=asdict(replace(config, lr=config.lr or rate(parts))) | dict(describe or {}),
    )


def prepare(task: Task, config: FitConfig) -> Parts:
    """Seed everything and build the task's parts.

    Raises:
        ValueError: for a rate of 0, and for trials that the task's parts cannot have.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    parts = placed(task.build(), config)
    if config.adapt_every and not parts.adaptable:
        raise ValueError("adapt_every: this trainer has no weights that may be tried on forks; leave it at 0")
    if rate(parts) == 0:
        raise ValueError(
            f"lr: the optimizer was built with a rate of 0 (lr is {config.lr}) and moves nothing; give one"
        )
    return replace(parts, data=Ahead(parts.data, config.num_workers)) if config.num_workers else parts


def placed(parts: Parts, config: FitConfig) -> Parts:
    """Put the model and its batches on the device that they are trained on."""
    device = chosen(config.device)
    if device.type == "cpu":
        return parts
    parts.model.to(device)
    return replace(parts, data=Moved(parts.data, device), held_out=kept_on(parts.held_out, device))


def rate(parts: Parts) -> float:
    """Return the largest learning rate that the optimizer was built with: a schedule may have it at 0 for now."""
    return max(float(group.get("initial_lr", group["lr"])) for group in parts.optimizer.param_groups)


def averages(parts: Parts, config: FitConfig) -> Averaged | None:
    """Return the averaged weights that `ema` or a schedule-free optimizer ask for; None without."""
    if config.schedule == FREE:
        return FreeAverage(parts.model, parts.optimizer)
    return Ema(parts.model, config.ema) if config.ema else None


def _scaler(parts: Parts, config: FitConfig) -> torch.amp.GradScaler | None:
    """fp16 has too small a range for gradients; where it is computed in, the loss is scaled."""
    device = next(parts.model.parameters()).device.type
    return torch.amp.GradScaler(device) if precision(parts, config) == torch.float16 and device != "cpu" else None


def total(parts: Parts, config: FitConfig, batch: Any) -> Tensor:  # noqa: ANN401 (whatever the task gives)
    """Return the weighted loss of a batch, 0-d, computed in the run's precision; nothing guards it."""
    half, device = precision(parts, config), next(parts.model.parameters()).device.type
    with torch.autocast(device, dtype=half or torch.bfloat16, enabled=half is not None):
        return Losses.of(parts.losses(batch)).total(parts.weights)


def precision(parts: Parts, config: FitConfig) -> torch.dtype | None:
    """Return the format that the forward pass is cast to; None: as it is."""
    if config.precision == MIXED:
        return None if next(parts.model.parameters()).device.type == "cpu" else torch.float16
    return PRECISIONS[config.precision]
