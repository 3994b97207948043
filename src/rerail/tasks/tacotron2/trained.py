"""A trained Tacotron2: from a run, one of its checkpoints, or a published file."""

from __future__ import annotations

from pathlib import Path

import torch

from rerail.tasks.checkpoint import config_of, filled, found, kept
from rerail.tasks.speech.trained import Trained
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.published import CONFIG, read_model, read_symbols
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.text.symbols import Symbols

FILES = (".pt", ".pth")


def load(place: Path, symbols: str = "") -> Trained:
    """Load a model from a run's folder (its newest sound checkpoint), a `step-*` folder, or a published `*.pt` file.

    `symbols` is the table of a published file, see `published.py`.

    Raises:
        ValueError: where there is no model, or its weights are not finite.
    """
    if place.suffix in FILES and not place.is_dir():
        return _published(place, symbols)
    if symbols:
        raise ValueError(f"--symbols: {place} has a table of its own; leave it out")
    saved, settings = found(place, f"run: rerail recover tacotron2 --checkpoint {place}")
    config, others = config_of(Tacotron2Config, settings), kept(saved, ("symbols", "reduction"), "a Tacotron2")
    size, symbols_ = SIZES[config.size], len(others["symbols"])
    model = filled(Tacotron2(size, symbols_, config.spec().bands, config.reduction, config.attention), saved, others)
    model.frames.pace(others["reduction"])
    return Trained(
        model=model,
        symbols=Symbols(tuple(others["symbols"])),
        config=config,
        step=saved.step,
        source=saved.path,
        health=saved.health,
        passed=saved.passed,
        held_out=tuple(others.get("held_out", ())),
    )


def _published(path: Path, symbols: str) -> Trained:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a published checkpoint, or a run's folder")
    model, step = read_model(path)
    if bad := [name for name, value in model.state_dict().items() if not torch.isfinite(value).all()]:
        raise ValueError(f"{path}: {len(bad)} of its weights are not finite, {bad[0]} for one; get the file anew")
    table = read_symbols(symbols, model.embedding.num_embeddings) if symbols else None
    return Trained(model=model.eval(), symbols=table, config=CONFIG, step=step, source=path)
