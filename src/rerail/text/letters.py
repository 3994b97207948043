"""Texts as a listener would write them: what a recogniser cannot hear is taken away, and the rest is compared."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from rerail.core.extras import need
from rerail.text.normalise import normalise

STRESS = "\u0300\u0301"  # accents that stand alone even when composed: marks of stress, as in Russian
APOSTROPHES = "'`"
WITHIN_WORDS = "LMN"  # letters, marks and numbers


def letters(text: str, *, language: str = "") -> str:
    """Return a text in lower case, numbers spelled where the language is known, without punctuation and stress marks.

    Apostrophes go without a trace; whatever else is no letter, mark or digit parts words, by one space.
    """
    plain = (one for one in normalise(text, language=language) if one not in STRESS + APOSTROPHES)
    return " ".join("".join(one if unicodedata.category(one)[0] in WITHIN_WORDS else " " for one in plain).split())


def character_error_rate(true: Sequence[str], heard: Sequence[str]) -> float:
    """Return inserted, deleted and replaced characters, spaces among them, for each true one; all texts together.

    Texts are those of `letters`. It may be above 1, and is NaN where no true text has a letter.

    Raises:
        ModuleNotFoundError: naming the command that installs the library that counts.
    """
    pairs = [(one, other) for one, other in zip(true, heard, strict=True) if one]
    if not pairs:
        return math.nan
    return float(need("jiwer", extra="asr").cer([one for one, _ in pairs], [other for _, other in pairs]))
