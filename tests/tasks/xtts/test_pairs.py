"""Every level with every schedule, every size with every level, every size with every schedule, on real clips."""

from __future__ import annotations

import math
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from rerail.audio import files
from rerail.data import demo, ljspeech
from rerail.fit import FitConfig, train, train_unguarded
from rerail.fit.schedule import Name
from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.levels import ABOVE, FAST, LEVELS
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask

CHOICES = [*LEVELS.names, FAST]
SCHEDULES = get_args(Name)
BY_TURNS = ("big", "normal", "small", "tiny", "tiny", "tiny")  # a Latin square: each size meets all of both
LARGE = ("normal", "big")
RUNS = [
    (level, size, schedule)
    for (place, level), (other, schedule) in product(enumerate(CHOICES), enumerate(SCHEDULES))
    for size in [BY_TURNS[(place + other) % len(BY_TURNS)]]
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    clips = sorted(ljspeech.read(demo.folder()), key=lambda one: len(files.read(one.path, 16000)))[:6]
    (folder / "wavs").symlink_to(demo.folder() / "wavs")
    ljspeech.write(folder / "metadata.csv", clips)
    return folder


def test_every_pair_is_there() -> None:
    levels, sizes, schedules = (set(one) for one in zip(*RUNS, strict=True))
    assert (levels, sizes, schedules) == (set(CHOICES), set(SIZES), set(SCHEDULES))
    assert {(a, b) for a, b, _ in RUNS} == set(product(levels, sizes))
    assert {(b, c) for _, b, c in RUNS} == set(product(sizes, schedules))
    assert {(a, c) for a, _, c in RUNS} == set(product(levels, schedules))


@pytest.mark.parametrize(("level", "size", "schedule"), RUNS)
def test_it_trains_on_real_clips_without_a_nan(corpus: Path, level: str, size: Any, schedule: Name) -> None:
    loop = {one.name for one in fields(FitConfig)}
    given = LEVELS.values("enhanced") | ABOVE.values(FAST) if level == FAST else LEVELS.values(level)
    given |= {"schedule": schedule, "epochs": 0, "batch_size": 2, "accumulate": 1, "num_workers": 0, "warmup": 5}
    given |= {"ema": 0.0} if schedule == "schedule-free" else {}
    fit = FitConfig(
        **{name: value for name, value in given.items() if name in loop},
        steps=20 if size == "tiny" else 2,
        snapshot_every=1000,
        threads=1,
    )
    rest = {name: value for name, value in given.items() if name not in loop}
    config = XttsConfig(data=str(corpus), cache=str(corpus / "features"), held_out=1, language="en", size=size, **rest)
    task = XttsTask(config, fit)
    if size in LARGE:  # the guard keeps copies of what it guards, and evaluation speaks: neither depends on the size
        assert all(map(math.isfinite, train_unguarded(task, fit)))
        return
    done = train(task, fit, run=None)
    assert (done.reason, done.steps) == ("finished", fit.steps)
    assert all(math.isfinite(value) for name, value in done.metrics.items() if name != "reads_text")
