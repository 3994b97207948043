"""Pictures with recordings: found, decoded once, split without leaks, made to batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rerail.data.pairs import folders, lists, voxceleb
from rerail.data.pairs.pair import Pairing

LAYOUTS: Mapping[str, Callable[[Path, Path], Pairing]] = {"folders": folders.read, "voxceleb": voxceleb.read}


def read(pairs: str, image_folder: str, audio_folder: str, layout: str) -> Pairing:
    """Read a list of pairs, or two folders; without a layout, `folders`, which looks how the files lie.

    Raises:
        ValueError: where neither is given, the layout is not known, or nothing can be paired.
    """
    if layout and layout not in LAYOUTS:
        raise ValueError(f"layout: there is no {layout!r}; known: {', '.join(LAYOUTS)}")
    if pairs:
        return lists.read(Path(pairs))
    if not (image_folder and audio_folder):
        raise ValueError("pairs: none given; give pairs, or image_folder and audio_folder")
    return LAYOUTS[layout or "folders"](Path(image_folder), Path(audio_folder))
