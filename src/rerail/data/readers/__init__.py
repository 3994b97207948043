"""Readers of corpora, one layout a file: what lies in a folder becomes clips, and nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rerail.data import ljspeech
from rerail.data.listing import Listing
from rerail.data.readers import asterisk, commonvoice, festvox, pathlist, piper, sphinx, tuxpaint, vctk

Reader = Callable[[Path], Listing]
READERS: Mapping[str, Reader] = {
    "ljspeech": ljspeech.sift,
    "festvox": festvox.read,
    "asterisk": asterisk.read,
    "sphinx": sphinx.read,
    "tuxpaint": tuxpaint.read,
    "vctk": vctk.read,
    "commonvoice": commonvoice.read,
    "piper": piper.read,
    "f5": lambda folder: pathlist.read(folder / ljspeech.METADATA),
    "list": pathlist.read,
}
FOUND: Mapping[str, Callable[[Path], object]] = {  # in this order: the surest sign first
    "piper": piper.found,
    "f5": lambda folder: pathlist.named(folder / ljspeech.METADATA),
    "ljspeech": lambda folder: (folder / ljspeech.METADATA).is_file(),
    "festvox": festvox.found,
    "asterisk": asterisk.found,
    "sphinx": sphinx.found,
    "tuxpaint": tuxpaint.found,
    "vctk": vctk.found,
    "commonvoice": commonvoice.found,
}


def read(place: Path, layout: str = "") -> Listing:
    """Read a corpus; without a layout, the one that it is in.

    Raises:
        ValueError: for a place that is not there, or in no layout that is known.
    """
    if not place.exists():
        raise ValueError(f"{place}: no such folder or list; give a corpus")
    if layout and layout not in READERS:
        raise ValueError(f"layout: there is no {layout!r}; known: {', '.join(READERS)}")
    return READERS[layout or layout_of(place)](place)


def layout_of(place: Path) -> str:
    """Return the name of the layout that a corpus is in.

    Raises:
        ValueError: where it is in none.
    """
    if place.is_file():
        return "ljspeech" if place.suffix == ".csv" and (place.parent / "wavs").is_dir() else "list"
    if name := next((name for name, found in FOUND.items() if found(place)), ""):
        return name
    known = "metadata.csv, etc/txt.done.data, core-sounds-LL.txt, *.transcription, *_desc_LL.ogg, txt/, clips/"
    raise ValueError(f"{place}: no corpus in a known layout ({known}); give its folder, or a list of path|text lines")
