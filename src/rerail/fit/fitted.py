"""Settings that follow from the machine and the data: batches by memory, steps by epochs; and what is odd of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rerail.fit.config import FitConfig
from rerail.fit.device import chosen
from rerail.fit.hardware import by_memory, memory


def fitted(config: FitConfig, *, clips: int, taken: int, epochs: int) -> FitConfig:
    """Return settings without zeros: batches of at most `clips`, steps for `epochs` times `taken` clips, where asked.

    `taken` is how many clips an epoch takes, those of small groups several times.
    """
    batch, accumulate = by_memory(memory(chosen(config.device)))
    own = replace(
        config,
        batch_size=min(config.batch_size or batch, clips),
        accumulate=config.accumulate or accumulate,
    )
    return replace(own, steps=max(1, epochs * (taken // own.batch_size) // own.accumulate)) if epochs else own


def oddities(asked: FitConfig, config: FitConfig, epochs: int, *, compares: bool = False) -> Iterator[str]:
    """Say what a person would want to know of fitted settings before an hour has passed.

    `compares`: the loss compares the rows of a batch.
    """
    if asked.batch_size > config.batch_size:
        yield f"batch_size: {asked.batch_size} cannot be filled; {config.batch_size}, all that there are, make a batch"
    if asked.batch_size != config.batch_size or asked.accumulate != config.accumulate or epochs:
        clips = config.batch_size * config.accumulate
        yield f"{config.steps} steps of {config.batch_size} x {config.accumulate} = {clips} clips"
    if compares and config.accumulate > 1:
        yield (
            f"accumulate: each of the {config.accumulate} micro-batches of a step has its own {config.batch_size} rows "
            "to compare, so negatives do not add up; give a larger --batch-size, and --chunk where memory is short"
        )
    if compares and asked.find_batch:
        yield (
            f"find_batch: another size would be another objective, so it stays at {config.batch_size} rows; give "
            "--batch-size, and --chunk where memory is short"
        )
    elif asked.find_batch and chosen(config.device).type == "cpu":
        yield "find_batch: a CPU does not say what it holds, so nothing was tried; give batch_size"
    if config.warmup >= config.steps:
        yield (
            f"warmup: {config.warmup} steps are more than the run's {config.steps}, so the learning rate never comes "
            f"to {config.lr:g}; give a shorter --warmup, or more steps"
        )
