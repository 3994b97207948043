"""A trained network of this kind, from a run or one of its checkpoints."""

from __future__ import annotations

from pathlib import Path

from rerail.tasks.checkpoint import config_of, filled, found, kept
from rerail.tasks.speech.trained import Trained
from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.model import Xtts
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.voices import Languages, Voices
from rerail.text.symbols import Symbols


def load(place: Path) -> Trained:
    """Load the newest sound checkpoint of a run, or the `step-*` folder that `place` is.

    Raises:
        ValueError: where there is no model, or its weights are not finite.
    """
    saved, settings = found(place, "give an older checkpoint of the run, a step-* folder")
    config = config_of(XttsConfig, settings)
    others = kept(saved, ("symbols", "languages", "reduction"), "an XTTS-style network")
    languages = Languages(tuple(others["languages"]))
    size, symbols = SIZES[config.size], len(others["symbols"])
    model = filled(Xtts(size, symbols, len(languages), config.spec().bands, config.reduction), saved, others)
    model.frames.pace(others["reduction"])
    return Trained(
        model=model,
        symbols=Symbols(tuple(others["symbols"])),
        config=config,
        step=saved.step,
        source=saved.path,
        asks=Voices(languages, config.spec()),
        health=saved.health,
        passed=saved.passed,
        held_out=tuple(others.get("held_out", ())),
    )
