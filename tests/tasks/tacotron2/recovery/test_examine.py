from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from rerail import past
from rerail.data import demo
from rerail.fit import FitConfig, held_out, train
from rerail.tasks.tacotron2.recovery.decide import Looked
from rerail.tasks.tacotron2.recovery.examine import bench, measure
from rerail.tasks.tacotron2.recovery.states import start
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task


@pytest.mark.parametrize("averaged", [{}, {"ema": 0.9}, {"schedule": "schedule-free"}])
def test_a_state_is_worth_what_its_run_measured_the_average_where_it_keeps_one(
    tmp_path: Path, averaged: dict[str, Any]
) -> None:
    fit = FitConfig(steps=4, batch_size=4, lr=0.01, evaluate_every=4, checkpoint_every=4, threads=1, **averaged)
    config = Tacotron2Config(data=str(demo.folder()), cache=str(tmp_path), size="tiny", reduction=8, longest=2.0)
    task = Tacotron2Task(replace(config, held_out=2), fit)
    result = train(task, fit, run=tmp_path / "run", describe=asdict(task.config))
    at, saved = bench(task, fit), past.saved(tmp_path / "run")[-1]
    assert measure(at, past.load(saved.path))["mel"] == pytest.approx(result.metrics["mel"])

    torn = Looked(name=saved.path.name, step=saved.step, complaint="its checksum is another")
    begun = start(at, saved, torn, salvage=True)
    assert begun is not None
    found = measure(at, begun.state)["mel"]
    at.parts.model.load_state_dict(begun.state["model"])
    assert found == pytest.approx(held_out(task, at.parts)["mel"])
