"""Letters in Telegram's HTML: what its parser reads is what was written, in parts that it takes."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot_api
from rerail.core.notice import Level, Notice
from rerail.tell import catalogue
from rerail.tell.fields import plain
from rerail.tell.services import markup
from rerail.tell.services.service import Letter

HOSTILE = (
    "<b>x</b> <script>alert(1)</script> a<b & c>d &lt; &#60; *x* _y_ `z` [a](b) \x1b[31mred\x1b[0m \u202eabc\nnext"
)


def read(letter: Letter, **limits: int) -> list[str]:
    return [bot_api.parsed(part.html)[0] for part in markup.parts(letter, **limits)]


def test_whatever_names_hold_is_read_as_text() -> None:
    letter = Letter(title=HOSTILE, lines=(HOSTILE, "plain"))
    [part] = markup.parts(letter)
    text, bold = bot_api.parsed(part.html)
    assert text == f"{plain(HOSTILE)}\n{plain(HOSTILE)}\nplain"
    assert bold == (plain(HOSTILE),)
    assert part.text == text
    assert not set("\x1b\u202e") & set(text)


def test_a_long_letter_is_split_between_lines() -> None:
    lines = tuple(f"line {number} " + "x" * 90 for number in range(100))
    parts = read(Letter(title="many", lines=lines))
    assert "\n".join(parts).split("\n") == ["many", *lines]
    assert all(bot_api.units(part) <= 4096 for part in parts)
    assert len(parts) == 3


def test_a_long_line_is_split_between_words_and_no_symbol_is_cut() -> None:
    face = "\U0001f469\u200d\U0001f680"
    for line, joint in (("word " * 2000, " "), (face * 3000, "")):
        parts = read(Letter(title="t", lines=(line.strip(),), most=9))
        whole = joint.join(parts)
        assert whole[0] == "t"
        assert whole[1:].lstrip("\n") == line.strip()
        assert all(part.encode() for part in parts)  # half a surrogate pair would not encode
        assert not any(part.startswith(("\u200d", "\U0001f680")) for part in parts)


def test_what_would_be_too_many_messages_is_cut_and_says_so() -> None:
    parts = read(Letter(title="t", lines=tuple("y" * 4000 for _ in range(9)), most=3))
    assert len(parts) == 3
    assert parts[-1].endswith("\n" + markup.CUT)
    assert all(bot_api.units(part) <= 4096 for part in parts)


def test_a_title_as_long_as_two_messages_is_bold_in_both() -> None:
    parts = [bot_api.parsed(part.html) for part in markup.parts(Letter(title="<&>" * 2000, most=2))]
    assert all(bold == (text,) for text, bold in parts)
    assert "".join(text for text, _ in parts) == "<&>" * 2000


def test_lines_of_a_right_to_left_language_begin_with_its_mark() -> None:
    [text] = read(Letter(title="loss/mel", lines=("NaN",), direction="rtl"))
    assert text == "\u200floss/mel\n\u200fNaN"


@pytest.mark.parametrize("limit", [1, 2])
def test_the_length_is_counted_as_telegram_counts(limit: int) -> None:
    assert markup.units("a\U0001f600"[:limit]) == bot_api.units("a\U0001f600"[:limit]) == (1, 3)[limit - 1]


TEXT = st.text(st.characters(codec="utf-8"), max_size=120)


@given(
    title=TEXT, lines=st.lists(TEXT, max_size=8), limit=st.integers(40, 90), direction=st.sampled_from(["ltr", "rtl"])
)
@settings(max_examples=40)
def test_any_letter_is_read_whole_in_parts_within_the_limit(
    title: str, lines: list[str], limit: int, direction: Literal["ltr", "rtl"]
) -> None:
    letter = Letter(title=title, lines=tuple(lines), direction=direction)
    parts = markup.parts(letter, limit=limit, most=1000)
    texts = [bot_api.parsed(part.html)[0] for part in parts]
    assert texts == [part.text for part in parts]
    assert all(bot_api.units(text) <= limit for text in texts)
    assert unspaced("".join(texts)) == unspaced("".join(plain(line, 10**6) for line in (title, *lines)))


def unspaced(text: str) -> str:
    return text.translate(str.maketrans("", "", "\n \u200f"))


def test_the_marks_that_isolate_values_stay_marks_and_a_values_own_do_not() -> None:
    name = "\u2068a<b>\u202e"
    notice = Notice(
        level=Level.CRITICAL,
        code="died",
        topic="died",
        id="1",
        time=1.0,
        tick=3,
        step=2,
        values={"run": name, "step": "2"},
    )
    told = catalogue.text(notice, "fa")
    [text] = read(Letter(title=told.title, direction="rtl"))
    assert r"\u2068a<b>\u202e".join("\u2068\u2069") in text
    [english] = read(Letter(title=name))
    assert english == r"\u2068a<b>\u202e"
