"""One number for how well a Tacotron2 speaks held-out text by itself, from 0 to 100 %. Pure.

    quality = 100 * sound * (0.7 * reading + 0.3 * ending)

reading  sqrt(D * (focus + monotonicity + coverage) / 3): is the text read, in order and whole? D is the corrected
         diagonality, not below 0. Uniform, stuck and reversed attention read nothing, whatever the other three say.
ending   the share of utterances whose first stop lies within 10 % of the true end.
sound    (1 - E / E_mean) / 0.5, within 0 and 1: E is the mel error along the warping path, E_mean that of a model that
         emits the mean mel. A second recording of the same words by the same voice does away with 43 to 50 % of that
         (medians of five voices, 130 pairs), one of other words with 6 to 15 % (bench/takes.py). So 1 is as near to
         the recording as another recording would be.

All are measured free-running. `sound` multiplies, because a model that says nothing is worth nothing, however well it
moves along its text: one that emits the mean mel scores 0, the truth fed back 100, one that is not finite NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

READING, ENDING = 0.7, 0.3
TAKES = 0.5  # share of the mean mel's error that another recording of the same words does away with
NEEDED = ("diagonality", "focus", "monotonicity", "coverage", "gate_accuracy", "mel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The three parts, each from 0 to 1 or NaN."""

    reading: float
    ending: float
    sound: float

    @property
    def percent(self) -> float:
        """The score, 0 to 100, or NaN."""
        return 100.0 * self.sound * (READING * self.reading + ENDING * self.ending)


def quality(scores: Mapping[str, float]) -> Quality:
    """Judge the scores of `evaluate.evaluate`: those ending in `/free`, and `mel_of_mean`."""
    values = [scores[f"{name}/free"] for name in NEEDED]
    if not all(map(math.isfinite, [*values, scores["mel_of_mean"]])):  # max(0, nan) would be 0
        return Quality(reading=math.nan, ending=math.nan, sound=math.nan)
    diagonality, focus, monotonicity, coverage, ending, error = values
    gained = 1.0 - error / scores["mel_of_mean"] if scores["mel_of_mean"] > 0 else 0.0
    return Quality(
        reading=math.sqrt(max(0.0, diagonality) * (focus + monotonicity + coverage) / 3.0),
        ending=ending,
        sound=min(1.0, max(0.0, gained) / TAKES),
    )
