"""A trainer under examination: built as it would train, on its first batch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rerail.data import demo
from rerail.doctor import Check, examine
from rerail.doctor.shown import bar
from rerail.fit import FitConfig, Task, guarded, prepare
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task


def examined(task: Task, fit: FitConfig, *, seconds: float, draws_in_eval: bool) -> tuple[Check, ...]:
    """Build a task's parts and examine them on the first batch, with a progress bar."""
    parts = prepare(task, fit)
    guard = guarded(parts, fit)
    batch = next(iter(parts.data))
    with bar() as watch:
        checks = examine(guard, batch, seconds=seconds, draws_in_eval=draws_in_eval, watch=watch)
    guard.close()
    return checks


@contextmanager
def tacotron2(config: Tacotron2Config, fit: FitConfig) -> Iterator[Tacotron2Task]:
    """Return the task; without data it takes the embedded clips, and drops their spectrograms afterwards."""
    if config.data:
        yield Tacotron2Task(config, fit)
        return
    with tempfile.TemporaryDirectory() as cache:
        yield Tacotron2Task(replace(config, data=str(demo.folder()), cache=cache), fit)
