"""How many wrong transcripts the length of a clip gives away.

    python bench/misfits.py DIR [--share 0.1] [--seeds 3]

DIR is in LJSpeech layout, and sound. The texts of a share of the clips are swapped in pairs of one speaker; printed for
each draw: how many were swapped and found, the same of those whose text is longer or shorter by more than 70 %, and how
many others were blamed.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import replace
from pathlib import Path

from rerail.audio import files
from rerail.data import ljspeech
from rerail.data.check import misfits
from rerail.data.measure import Measured, measure, spoken

FAR = 0.7


def swapped(measured: list[Measured], share: float, seed: int) -> tuple[list[Measured], dict[str, float]]:
    """Return the corpus with texts swapped, and by how much each swapped clip's text changed in length."""
    draw, found, changed = random.Random(seed), list(measured), dict[str, float]()  # noqa: S311 - no secret
    places = draw.sample(range(len(found)), int(len(found) * share) // 2 * 2)
    for one, other in zip(places[::2], places[1::2], strict=True):
        pair = measured[one], measured[other]
        if pair[0].clip.speaker == pair[1].clip.speaker:
            for place, own, given in ((one, *pair), (other, *reversed(pair))):
                clip = replace(own.clip, text=given.clip.text)
                found[place] = replace(own, clip=clip, characters=len(spoken(clip)))
                changed[own.clip.id] = abs(own.characters / found[place].characters - 1)
    return found, changed


def main() -> None:
    """Print a line a draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    measured = []
    for clip in ljspeech.read(given.corpus):
        rate = files.rate_of(clip.path)
        measured.append(measure(clip, files.read(clip.path, rate), rate))
    before = {one.id for one in misfits(measured)}
    print(f"{len(measured)} clips, {len(before)} found before any swap")
    for seed in range(given.seeds):
        corpus, changed = swapped(measured, given.share, seed)
        found, far = {one.id for one in misfits(corpus)}, {name for name, by in changed.items() if by > FAR}
        others = len(found - set(changed) - before)
        told = f"{len(found & set(changed))} of {len(changed)} found, {len(found & far)} of {len(far)} far ones"
        print(f"seed {seed}: {told}, {others} others blamed")


if __name__ == "__main__":
    main()
