# ruff: noqa: RUF001 - texts of several scripts are the point here
from __future__ import annotations

import math

import pytest

from rerail.text.letters import character_error_rate, letters


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Please enter, followed by POUND!", "", "please enter followed by pound"),
        ("Don't - it's\u2019", "en", "dont its"),
        ("Press 5 now.", "en", "press five now"),
        ("x-ray\u2026 now", "", "x ray now"),
        ("вол+ос, во\u0301лос", "ru", "волос волос"),
        ("¿Qué tal?", "es", "qué tal"),
        ("हिन्दी!", "", "हिन्दी"),
        ("...", "", ""),
    ],
)
def test_what_cannot_be_heard_is_taken_away(text: str, language: str, expected: str) -> None:
    assert letters(text, language=language) == expected


def test_errors_are_counted_over_all_texts_together() -> None:
    pytest.importorskip("jiwer", reason='nothing to count with; pip install "rerail[asr]"')
    assert character_error_rate(["abcd", "ef"], ["abcd", "ef"]) == 0.0
    assert character_error_rate(["abcd", "ef"], ["abxd", "efg"]) == pytest.approx(2 / 6)
    assert character_error_rate(["abcd"], [""]) == 1.0
    assert character_error_rate(["ab", ""], ["abab", "x"]) == 1.0  # a text of no letters counts nowhere


def test_where_no_text_has_a_letter_there_is_no_rate() -> None:
    assert math.isnan(character_error_rate([""], ["a"]))
