"""The scores of a trained Tacotron2 as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rerail.tasks.speech.quality import ENDING, READING, quality

HEADINGS = ("", "free-running", "teacher-forced", "vocoder alone", "recording")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is, and the score for each column, empty where there is none."""

    words: str
    free: str = ""
    forced: str = ""
    copied: str = ""
    recorded: str = ""
    digits: int = 3


def _both(words: str, name: str) -> Row:
    return Row(words, f"{name}/free", f"{name}/forced")


def _heard(words: str, name: str, digits: int) -> Row:
    return Row(words, f"{name}/free", "", f"{name}/copied", f"{name}/recorded", digits)


def _voice(words: str, whose: str) -> Row:
    return Row(words, f"voice/free/{whose}", "", f"voice/copied/{whose}", f"voice/recorded/{whose}")


ROWS = (
    Row("quality, %", "quality", digits=1),
    _both("diagonality (uniform attention 0, perfect 1)", "diagonality"),
    _both("diagonal mass", "diagonal_mass"),
    _both("focus", "focus"),
    _both("monotonicity", "monotonicity"),
    _both("coverage", "coverage"),
    _both("gate accuracy (first stop within 10 % of the end)", "gate_accuracy"),
    Row("gate precision, by frame", "", "gate_precision"),
    Row("gate recall, by frame", "", "gate_recall"),
    Row("length error, share", "length_error/free"),
    Row("mel error, nepers", "mel/free", "mel"),
    Row("mel error of the mean mel", "mel_of_mean", "mel_of_mean"),
    Row("mel error with other texts", "", "mel_shuffled"),
    Row("  worse by that share", "", "reads_text"),
    Row("mel-cepstral distortion, dB", "mcd/free", digits=2),
    _heard("character error rate", "cer", 3),
    Row("  against another clip's text", "cer/other"),
    Row("  clips nearer to their own text, share", "cer/nearer"),
    Row("  as good by chance", "cer/nearer/chance", digits=4),
    _voice("voice: cosine to recordings of the speaker", "own"),
    _voice("  and to those of other speakers", "others"),
    _heard("mean opinion score, estimated (1 to 5)", "mos", 2),
)


def rows(scores: Mapping[str, float]) -> list[list[str]]:
    """Return the lines of the table for which there are scores."""
    lines = [[row.words, *(_figure(scores, name, row.digits) for name in _columns(row))] for row in ROWS]
    return [line for line in lines if any(line[1:])]


def made_of(scores: Mapping[str, float]) -> str:
    """Say how the quality is made up."""
    parts = quality(scores)
    if not math.isfinite(parts.percent):
        return "quality: not finite, so there is none"
    return (
        f"quality {parts.percent:.1f} % = sound {parts.sound:.2f} x "
        f"({READING} x reading {parts.reading:.2f} + {ENDING} x ending {parts.ending:.2f})"
    )


def _columns(row: Row) -> tuple[str, ...]:
    return row.free, row.forced, row.copied, row.recorded


def _figure(scores: Mapping[str, float], name: str, digits: int) -> str:
    return f"{scores[name]:.{digits}f}" if name in scores else ""
