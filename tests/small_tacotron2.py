"""A tiny Tacotron2 trained for two steps on some of the demo's real clips, as a run on disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rerail.data import demo, ljspeech
from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

CLIPS = 16


def corpus(folder: Path) -> Path:
    """The first demo clips, in a folder of their own."""
    folder.mkdir(parents=True)
    (folder / "wavs").symlink_to(demo.folder() / "wavs")
    ljspeech.write(folder / "metadata.csv", ljspeech.read(demo.folder())[:CLIPS])
    return folder


def trained(folder: Path, steps: int = 2, **settings: Any) -> Path:
    """Train; return the run's folder."""
    data = str(corpus(folder / "corpus"))
    chosen = {"size": "tiny", "held_out": 2, "cache": str(folder / "features"), "data": data, **settings}
    config = Tacotron2Config(**chosen)
    fit = FitConfig(steps=steps, batch_size=4, evaluate_every=50, snapshot_every=1, checkpoint_every=1, threads=1)
    assert train(Tacotron2Task(config, fit), fit, run=folder / "run", describe=asdict(config)).reason == "finished"
    return folder / "run"


def changed(run: Path, to: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a run whose newest checkpoint alone is there, with a changed state and the manifest that fits it."""
    shutil.copytree(run, to)
    *older, newest = sorted((to / "checkpoints").glob("step-*"))
    for one in older:
        shutil.rmtree(one)
    state = torch.load(newest / "state.pt", weights_only=True)
    change(state)
    torch.save(state, newest / "state.pt")
    seal(newest)
    return to


def seal(checkpoint: Path, **fields: Any) -> None:
    """Make the manifest fit the file again, and set other fields of it."""
    content = (checkpoint / "state.pt").read_bytes()
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    manifest |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **fields}
    (checkpoint / "manifest.json").write_text(json.dumps(manifest))


def poison(state: dict[str, Any]) -> None:
    """Put one NaN into the weights."""
    state["model"]["embedding.weight"][0, 0] = torch.nan
