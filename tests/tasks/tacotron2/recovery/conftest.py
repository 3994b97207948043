"""A run that was trained once for all wrecks: a tiny network on short demo clips, until its attention is on its way."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from rerail.data import demo
from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

FIT = FitConfig(
    steps=60, batch_size=8, lr=0.01, evaluate_every=20, checkpoint_every=10, snapshot_every=5, warmup=5, threads=1
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recovery")
    config = Tacotron2Config(
        data=str(demo.folder()),
        cache=str(folder / "cache"),
        size="tiny",
        reduction=8,
        held_out=2,
        longest=2.2,
        weight_attention=20.0,
    )
    train(Tacotron2Task(config, FIT), FIT, run=folder / "run", describe=asdict(config))
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))
