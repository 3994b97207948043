"""A trained network of any kind, found by what its run says of itself."""

from __future__ import annotations

from pathlib import Path

from rerail.fit import saved_settings
from rerail.tasks.speech.trained import Trained
from rerail.tasks.tacotron2 import trained as tacotron2
from rerail.tasks.xtts import trained as xtts


def load(place: Path, symbols: str = "") -> Trained:
    """Load a network that speaks from a run, one of its checkpoints, or a published Tacotron2.

    Raises:
        ValueError: where there is none, or its weights are not finite.
    """
    settings = saved_settings(place) if place.is_dir() else {}
    if "image_encoder" in settings:
        raise ValueError(f"{place}: a face-voice network, which says nothing; rerail match and rerail index take it")
    if "kl_capacity" in settings:
        if symbols:
            raise ValueError(f"--symbols: {place} has a table of its own; leave it out")
        return xtts.load(place)
    return tacotron2.load(place, symbols)
