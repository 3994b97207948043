"""Put clips into LJSpeech layout: recordings in one form, a table, and all that goes along with them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rerail.audio import files
from rerail.data import facts, ljspeech
from rerail.data.clip import Clip
from rerail.data.listing import LeftOut

LEFT_OUT, LABELS = "left-out.tsv", "lab"


def carried(clip: Clip, folder: Path, sample_rate: int) -> Clip:
    """Bring a recording into a corpus: its own bytes where it has the right form, else decoded once to 16-bit FLAC.

    Raises:
        ValueError: for a recording that cannot be read, or whose samples are not finite.
    """
    plain = files.is_plain(clip.path, sample_rate)
    path = folder / ljspeech.WAVS / f"{clip.id}{clip.path.suffix if plain else '.flac'}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if plain:
        shutil.copyfile(clip.path, path)
    else:
        path.write_bytes(files.encode_flac(files.read(clip.path, sample_rate, resample=True), sample_rate))
    return replace(clip, path=path)


def papers(source: Path, folder: Path) -> None:
    """Copy licence, credits and readme of a corpus, as far as it has any."""
    for name in facts.PAPERS:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def write_left_out(folder: Path, left_out: Sequence[LeftOut]) -> None:
    """Write what was left out, one line each with tabs between: id, kind, reason."""
    rows = [f"{one.id}\t{one.kind}\t{' '.join(one.reason.split())}\n" for one in left_out]
    (folder / LEFT_OUT).write_text("".join(["id\tkind\treason\n", *rows]), encoding="utf8")
