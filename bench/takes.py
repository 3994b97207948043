"""How near a second recording of the same words comes to the first, against the mean mel and against other words.

    rerail data get asterisk-en && rerail data prepare data/asterisk-en --to data/asterisk-en-ready
    python bench/takes.py data/asterisk-en-ready [DIR ...]

This is where the quality score's `TAKES` comes from (src/rerail/tasks/speech/quality.py). Clips of one voice that
share their text, letter by letter, are compared along the warping path; pairs that are one recording are left out, as
are those under 0.6 s.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from rerail.audio.distance import distance
from rerail.audio.mel import MelSpec
from rerail.data import alike, ljspeech
from rerail.data.clip import Clip
from rerail.data.features import Features

SPEC = MelSpec()
SHORTEST = 38  # frames
SAME = 0.05  # nepers; takes are never so near


def pairs(clips: Sequence[Clip], mels: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the first two takes of each text."""
    takes: dict[str, list[Tensor]] = defaultdict(list)
    for clip, mel in zip(clips, mels, strict=True):
        if len(mel) >= SHORTEST:
            takes[alike.letters(clip.text)].append(mel)
    for first, second, *_ in (mels for mels in takes.values() if len(mels) > 1):
        same = first.shape == second.shape and float((first - second).abs().mean()) < SAME
        if not same:
            yield first, second


def row(folder: Path, cache: Path) -> str:
    """Return a corpus's line of the table."""
    clips = ljspeech.read(folder)
    mels = Features(folder=cache, spec=SPEC).prepare(clips)
    mean = torch.cat(mels).mean(0)
    found = list(pairs(clips, mels))
    others = [(second, found[place - 1][0]) for place, (_, second) in enumerate(found)]  # another text's first take
    again, other = ([away(spoken, true, mean) for spoken, true in kind] for kind in (found, others))
    quartiles = torch.tensor(again).quantile(torch.tensor([0.25, 0.75])).tolist()
    cells = [folder.name, len(found), f"{median(again):.2f}", "{:.2f} to {:.2f}".format(*quartiles)]
    return "| " + " | ".join(map(str, [*cells, f"{median(other):.2f}"])) + " |"


def away(spoken: Tensor, true: Tensor, mean: Tensor) -> float:
    """Share of the mean mel's error that `spoken` does away with."""
    return 1.0 - distance(spoken, true).mel / float((true - mean).abs().mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="folders that `rerail data prepare` made, one voice each")
    print("| corpus | pairs | same words again: error done away with, median | quartiles | other words, median |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as cache:
        for folder in parser.parse_args().data:
            print(row(folder, Path(cache)), flush=True)


if __name__ == "__main__":
    main()
