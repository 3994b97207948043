"""What a trainer needs beyond the guard: loop, config, schedule, evaluation and resume, once for all tasks."""

from __future__ import annotations

from rerail.fit.config import FitConfig, changed, problems
from rerail.fit.loop import Result, guarded, prepare, train, train_unguarded
from rerail.fit.schedule import warmup_cosine
from rerail.fit.task import Parts, Task
from rerail.guard import Losses, LossFunction, Picture, Sound
from rerail.saved import NotFinite, Saved, newest_saved, saved_settings

__all__ = [
    "FitConfig",
    "LossFunction",
    "Losses",
    "NotFinite",
    "Parts",
    "Picture",
    "Result",
    "Saved",
    "Sound",
    "Task",
    "changed",
    "guarded",
    "newest_saved",
    "prepare",
    "problems",
    "saved_settings",
    "train",
    "train_unguarded",
    "warmup_cosine",
]
