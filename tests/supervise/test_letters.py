from __future__ import annotations

from datetime import timezone
from pathlib import Path

import pytest

from rerail.core.dispatch import Bundle, Waiting
from rerail.core.notice import Level
from rerail.supervise.letters import letter
from rerail.tell.notices import Notices


def bundle(language: str, *, until: float | None = None) -> tuple[str, tuple[str, ...], str]:
    following = Notices("a<b>")
    told = [following.died(time=2e9), following.silent(time=2e9, seconds=900.0)]
    items = tuple(Waiting(notice=one, more=3, first=1, last=9) for one in told)
    given = Bundle(level=Level.CRITICAL, items=items, ids=(), room=1, until=until)
    made = letter(given, language, Path("nowhere"), timezone.utc)
    return made.title, made.lines, made.direction


def test_several_notices_are_a_line_each() -> None:
    title, lines, direction = bundle("en", until=3600.0)
    assert (title, direction) == ("a<b>: 2 things", "ltr")
    assert lines[0] == "- a<b>: the process is gone at step 0 (and 3 more like it, ticks 1 to 9)"
    assert lines[2] == "The budget of messages is used up with this one; the next may go at 01:00."


@pytest.mark.parametrize("language", ["ru", "ko", "fa"])
def test_another_language_has_no_english_words_around_them(language: str) -> None:
    title, lines, direction = bundle(language, until=3600.0)
    assert direction == ("rtl" if language == "fa" else "ltr")
    for english in ("things", "more like", "budget"):
        assert english not in " ".join((title, *lines))
    assert all("a<b>" in one for one in (title, *lines[:2]))
    assert "01:00" in lines[2]
