"""What length bucketing saves in padding, and what randomness it costs.

    python bench/bucketing.py DIR [--batch-size 16] [--epochs 60] [--seeds 3]

DIR is in LJSpeech layout. Each `pool` batches' worth of shuffled clips is sorted by length (1: not sorted at all).
Printed for each pool, as mean and spread over the seeds:
padding: share of a padded batch that is padding. partners: with how many other clips a clip shared a batch, against
no bucketing. spread: standard deviation of a batch's mean length, against no bucketing (1 is what chance gives).
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from statistics import fmean, pstdev

import soundfile

from rerail.data import ljspeech
from rerail.data.batches import Stream

POOLS = (1, 2, 4, 8, 16, 1000)


def figures(lengths: list[float], size: int, pool: int, seed: int, epochs: int) -> tuple[float, float, float]:
    """Return padding share, partners of a clip, and the spread of batches' mean lengths."""
    rows = [{"id": number, "seconds": seconds} for number, seconds in enumerate(lengths)]
    stream = Stream(rows, size, seed, lambda batch: [row["id"] for row in batch], lambda row: row["seconds"], pool)
    batches = list(islice(stream, epochs * (len(rows) // size)))
    partners = [set[int]() for _ in rows]
    for batch in batches:
        for one in batch:
            partners[one] |= set(batch) - {one}
    full = sum(max(lengths[one] for one in batch) * size for batch in batches)
    used = sum(lengths[one] for batch in batches for one in batch)
    means = [fmean(lengths[one] for one in batch) for batch in batches]
    return 1 - used / full, fmean(map(len, partners)), pstdev(means)


def main() -> None:
    """Print a line a pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    lengths = [soundfile.info(clip.path).duration for clip in ljspeech.read(given.corpus)]
    plain = [figures(lengths, given.batch_size, 1, seed, given.epochs) for seed in range(given.seeds)]
    print("| pool | padding | partners | spread |\n|---|---|---|---|")
    for pool in POOLS:
        found = [figures(lengths, given.batch_size, pool, seed, given.epochs) for seed in range(given.seeds)]
        against = [
            (padding, partners / most, spread / chance)
            for (padding, partners, spread), (_, most, chance) in zip(found, plain, strict=True)
        ]
        cells = [f"{fmean(column):.3f} ± {pstdev(column):.3f}" for column in zip(*against, strict=True)]
        print(f"| {pool} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
