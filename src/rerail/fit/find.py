"""The largest micro-batch that a device holds, found by trying: a step is still made of as many clips."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import torch

from rerail.fit.begin import total
from rerail.fit.config import FitConfig
from rerail.fit.device import chosen, moved
from rerail.fit.task import Parts, Task

SHARE = 0.9  # of a device's memory; the rest is left to what one cannot try: fragments, another process


class Heavy(Protocol):
    """Data that can give their heaviest batch."""

    @property
    def examples(self) -> Sized:
        """What batches are made of."""
        ...

    def heaviest(self, rows: int) -> Any:  # noqa: ANN401 (a batch is whatever the task gives)
        """Return a batch of the longest examples, some of them several times where there are fewer than `rows`."""
        ...


class Fitting(Task, Protocol):
    """A task that is a dataclass with the loop's settings in `fit`; its data are `Heavy`."""

    @property
    def fit(self) -> FitConfig:
        """The loop's settings."""
        ...


T = TypeVar("T", bound=Fitting)


def with_largest_batch(task: T) -> T:
    """Return the task with the largest micro-batch that fits, and with as many a step as make the same clips.

    Steps are tried with the longest recordings, from all clips in one micro-batch down, or from as many as there are;
    the weights that they move are thrown away. Where a CPU's memory runs out nothing is raised, so nothing is found
    there: `oddities` says so. A task whose loss compares the rows of a batch is left as it is: another size would be
    another objective.

    Raises:
        torch.OutOfMemoryError: where one clip by itself does not fit.
    """
    whole = task.fit.batch_size * task.fit.accumulate
    config = replace(task.fit, accumulate=1, num_workers=0)
    with torch.random.fork_rng():
        parts = replace(task, fit=config).build()  # type: ignore[type-var]
        if parts.undivided:
            return task
        parts.model.to(chosen(config.device))
        heavy: Heavy = parts.data  # type: ignore[assignment]
        sizes = (rows for rows in range(min(whole, len(heavy.examples)), 0, -1) if whole % rows == 0)
        rows = next(rows for rows in sizes if _fits(parts, config, rows))
    return replace(task, fit=replace(task.fit, batch_size=rows, accumulate=whole // rows))  # type: ignore[type-var]


def _fits(parts: Parts, config: FitConfig, rows: int) -> bool:
    device = chosen(config.device)
    try:
        _step(parts, config, rows, device)
    except torch.OutOfMemoryError:
        if rows == 1:
            raise
        return False
    finally:
        parts.optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return rows == 1 or _share_used(device) <= SHARE


def _step(parts: Parts, config: FitConfig, rows: int, device: torch.device) -> None:
    heavy: Heavy = parts.data  # type: ignore[assignment]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    total(parts, config, moved(heavy.heaviest(rows), device)).backward()  # type: ignore[no-untyped-call]
    parts.optimizer.step()  # its moments take memory too


def _share_used(device: torch.device) -> float:
    if device.type != "cuda":
        return 0.0
    return torch.cuda.max_memory_allocated(device) / torch.cuda.get_device_properties(device).total_memory
