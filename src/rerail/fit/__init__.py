"""What a trainer needs beyond the guard: loop, config, schedule, evaluation and resume, once for all tasks."""

from __future__ import annotations

from rerail.fit.config import FitConfig, changed, problems
from rerail.fit.loop import Result, guarded, prepare, train, train_unguarded
from rerail.fit.schedule import warmup_cosine
from rerail.fit.task import Parts, Task
from rerail.guard import Losses, LossFunction, Picture, Sound

__all__ = [
    "FitConfig",
    "LossFunction",
    "Losses",
    "Parts",
    "Picture",
    "Result",
    "Sound",
    "Task",
    "changed",
    "guarded",
    "prepare",
    "problems",
    "train",
    "train_unguarded",
    "warmup_cosine",
]
