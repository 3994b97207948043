"""What a trainer needs beyond the guard: loop, config, schedule, evaluation and resume, once for all tasks."""

from __future__ import annotations

from rerail import past
from rerail.fit.begin import averages, guarded, prepare
from rerail.fit.config import FitConfig, changed, problems
from rerail.fit.device import chosen
from rerail.fit.find import with_largest_batch
from rerail.fit.fitted import fitted, oddities
from rerail.fit.fork import Fork, beginning, fork, held_out
from rerail.fit.loop import Result, train, train_unguarded
from rerail.fit.optimizer import optimizer, refuse_unrated, scheduled
from rerail.fit.task import Parts, Task
from rerail.guard import Losses, LossFunction, Picture, Sound
from rerail.past import untaken
from rerail.saved import NotFinite, Saved, newest_saved, saved_settings

__all__ = [
    "FitConfig",
    "Fork",
    "LossFunction",
    "Losses",
    "NotFinite",
    "Parts",
    "Picture",
    "Result",
    "Saved",
    "Sound",
    "Task",
    "averages",
    "beginning",
    "changed",
    "chosen",
    "fitted",
    "fork",
    "guarded",
    "held_out",
    "newest_saved",
    "oddities",
    "optimizer",
    "past",
    "prepare",
    "problems",
    "refuse_unrated",
    "saved_settings",
    "scheduled",
    "train",
    "train_unguarded",
    "untaken",
    "with_largest_batch",
]
