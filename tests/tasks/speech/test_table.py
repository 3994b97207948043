from __future__ import annotations

import math

from rerail.tasks.speech.quality import NEEDED
from rerail.tasks.speech.table import HEADINGS, made_of, rows

SCORES = {f"{name}/free": 0.5 for name in NEEDED} | {"mel_of_mean": 1.0, "mel": 0.25, "quality": 50.0}


def test_there_is_a_line_for_what_was_measured_and_none_for_what_was_not() -> None:
    lines = {line[0]: line[1:] for line in rows({**SCORES, "cer/free": 0.2, "cer/recorded": 0.01})}
    assert lines["mel error, nepers"] == ["0.500", "0.250", "", ""]
    assert lines["character error rate"] == ["0.200", "", "", "0.010"]
    assert not any("opinion" in words for words in lines)
    assert all(len(line) == len(HEADINGS) - 1 for line in lines.values())


def test_it_says_how_the_quality_is_made_up() -> None:
    assert made_of(SCORES) == "quality 50.0 % = sound 1.00 x (0.7 x reading 0.50 + 0.3 x ending 0.50)"
    assert made_of({**SCORES, "focus/free": math.nan}) == "quality: not finite, so there is none"
    assert rows({**SCORES, "quality": math.nan})[0][1] == "nan"  # shown, not left out
