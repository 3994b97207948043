"""A fork of a run: some steps from a checkpoint as the run itself would take them, with nothing kept of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from rerail import past
from rerail.fit.begin import Averaged, averages, guarded
from rerail.fit.config import FitConfig
from rerail.fit.task import Parts, Task
from rerail.rehearse import STRICT, rehearse, strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """What came of a fork: the steps that were taken, why they ended before their time, and held-out metrics after."""

    steps: int
    trouble: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


def fork(task: Task, parts: Parts, config: FitConfig, checkpoint: Path, steps: int) -> Fork:
    """Train `steps` steps from a checkpoint, under the knobs in its memory, and measure; `parts` are left changed.

    It ends at the first step that would have to be undone.
    """
    held, averaged = replace(parts, plan=strict(parts.plan)), averages(parts, config)
    guard = guarded(held, config, resume=checkpoint, keep=STRICT, averaged=averaged)
    rehearsed = rehearse(guard, iter(parts.data), steps=steps, accumulate=config.accumulate)
    guard.close("rehearsed")
    if rehearsed.trouble:
        return Fork(steps=rehearsed.steps, trouble=rehearsed.trouble)
    return Fork(steps=steps, metrics=held_out(task, parts, averaged))


def beginning(parts: Parts, config: FitConfig) -> dict[str, Any]:
    """Return the whole state of a run of these parts as it would be saved now, before its first step."""
    with tempfile.TemporaryDirectory() as folder:
        guard = guarded(parts, config, run=Path(folder) / "run", averaged=averages(parts, config))
        kept = guard.save()
        guard.close("looked at")
        assert kept is not None
        return past.load(kept)


def held_out(task: Task, parts: Parts, averaged: Averaged | None = None) -> dict[str, float]:
    """Measure the averaged weights, as a run does, or the model as it is; what training draws next stays."""
    with torch.random.fork_rng(), averaged.swapped() if averaged else nullcontext():
        return dict(task.evaluate(parts.model, parts.held_out))
