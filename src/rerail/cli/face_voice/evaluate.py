"""Measure a trained matcher on pairs that it never saw: rerail evaluate face-voice RUN_OR_CHECKPOINT."""

from __future__ import annotations

import json
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.data.bars import bars
from rerail.core import plain
from rerail.tasks.face_voice.assess import Assessed, assess
from rerail.tasks.face_voice.trained import load
from rerail.tell import printed

ABOUT = """Measure a face-voice network on pairs that it never saw, each figure beside what guessing would give.

Two sets are measured: unseen recordings of identities that were trained on (seen), and identities that were not
(unseen). No recording is in two parts of the data, and no identity that is measured as unseen was trained on; that is
checked anew before anything is measured, by what the files hold.

Every picture is looked for among all voices of its set, and every voice among all pictures. recall@K: the share whose
own one is among the K nearest. right of N: among its own one and N - 1 others. AUC and EER: of all pairs, own and
others. Intervals are 95 %, by a bootstrap over identities (1,000 draws; 200 for EER); a figure that is not better than
chance with its whole interval is marked.
"""
FEW = 10  # identities: a bootstrap over fewer gives intervals that are too narrow
HEADINGS = ("figure", "value", "95 % interval", "chance", "")


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("place", type=str, help="folder of a run, or a checkpoints/step-* folder")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    parser.add_argument("--out", type=str, default="", help="JSON file for all figures; it must be new")


def run(given: Namespace, out: Path | None) -> int:
    """Print the figures; write them to `out` where that is given."""
    trained = load(Path(given.place))
    printed.text(trained.told())
    with bars() as progress:
        sets = assess(trained, seed=given.seed, progress=progress)
    for one in sets:
        printed.text(
            f"\n{one.name}: {one.pictures} pictures, {one.voices} voices, {one.identities} identities; {one.about}"
        )
        printed.table(HEADINGS, _rows(one))
        if one.identities < FEW:
            printed.text(
                f"{one.identities} identities are few: their intervals say too little; measure on {FEW} or more"
            )
    if out:
        about = {"checkpoint": str(trained.source), "step": trained.step, "sets": plain.dump(list(sets))}
        out.write_text(json.dumps(about, indent=1, ensure_ascii=False), "utf8")
    return 0


def _rows(one: Assessed) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            figure.name,
            f"{figure.value:.3f}",
            f"{figure.low:.3f} to {figure.high:.3f}",
            f"{figure.chance:.3f}",
            "" if figure.above_chance else "not better than chance",
        )
        for figure in one.figures
    ]
