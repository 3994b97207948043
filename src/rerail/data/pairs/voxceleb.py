"""The layout of VoxCeleb: recordings `ID/VIDEO/CLIP.wav` (or .m4a, .flac), pictures `ID/VIDEO/*.jpg` or `ID/*.jpg`."""

from __future__ import annotations

from pathlib import Path

from rerail.data.pairs import found
from rerail.data.pairs.pair import Pairing


def read(images: Path, recordings: Path) -> Pairing:
    """Pair within each person, with a picture of the same video where there is one.

    Raises:
        ValueError: where a folder is missing, or nothing can be paired.
    """
    return found.of_persons(found.images(images), found.recordings(recordings), f"{images}, {recordings}")
