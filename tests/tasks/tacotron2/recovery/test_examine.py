from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from rerail import past
from rerail.data import demo
from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.recovery.examine import bench, measure
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_state_is_worth_what_its_run_measured_the_average_where_it_keeps_one(tmp_path: Path, ema: float) -> None:
    fit = FitConfig(steps=4, batch_size=4, lr=0.01, evaluate_every=4, checkpoint_every=4, ema=ema, threads=1)
    config = Tacotron2Config(data=str(demo.folder()), cache=str(tmp_path), size="tiny", reduction=8, longest=2.0)
    task = Tacotron2Task(replace(config, held_out=2), fit)
    result = train(task, fit, run=tmp_path / "run", describe=asdict(task.config))
    state = past.load(past.saved(tmp_path / "run")[-1].path)
    assert measure(bench(task, fit), state)["mel"] == pytest.approx(result.metrics["mel"])
