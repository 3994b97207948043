"""Bring a text to the form that symbols are taken from."""

from __future__ import annotations

import re
import unicodedata

from rerail.core.extras import need
from rerail.text.abbreviations import spelled

SINGLE_QUOTES, DOUBLE_QUOTES = "\u2018\u2019\u201a\u201b\u2039\u203a\u02bc", "\u201c\u201d\u201e\u201f\u00ab\u00bb"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
ALIKE = (
    dict.fromkeys(map(ord, SINGLE_QUOTES), "'")
    | dict.fromkeys(map(ord, DOUBLE_QUOTES), '"')
    | dict.fromkeys(map(ord, DASHES), "-")
    | {ord("\u2026"): "..."}
)
JOINERS = "\u200c\u200d"  # invisible, but they tell words apart in Persian and shape letters in Indic scripts
POINT_LANGUAGES = frozenset({"en", "zh", "ja", "ko", "th", "he", "hi", "te", "kn"})  # others write 1.000,5


def normalise(text: str, *, language: str = "", stress: bool = False) -> str:
    """Compose (NFC), fold case, unify quotes and dashes, drop invisible characters, collapse white space.

    With a `language` code (`en`, `ru`, ...), abbreviations are written out, and digits of any script spelled, which
    needs num2words; without one they stay symbols of their own. `stress` keeps `+`, which marks a stressed vowel in
    some corpora.

    Raises:
        ValueError: for a number that cannot be spelled in this language.
    """
    text = unicodedata.normalize("NFC", text)
    if language:
        text = _spelled(spelled(text, language), language)
    text = text.casefold().translate(ALIKE)
    if not stress:
        text = re.sub(r"\+(?=[^\W\d_])", "", text)  # before a letter: that stress mark, not the plus of 2+2
    visible = (one for one in text if one in JOINERS or unicodedata.category(one) != "Cf")
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


def _spelled(text: str, language: str) -> str:
    points = language.lower().partition("-")[0].partition("_")[0] in POINT_LANGUAGES
    group, decimal = (",", r"\.") if points else (r"[.\u00a0\u202f]", "[.,]")
    number = rf"(\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{decimal}(\d+))?"
    return re.sub(number, lambda found: _apart(found, _words(found[1], found[2] or "", language)), text)


def _apart(found: re.Match[str], words: str) -> str:
    # A number written close to a letter ("5km") becomes a word of its own.
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return " " * before.isalpha() + words + " " * after.isalpha()


def _words(whole: str, fraction: str, language: str) -> str:
    digits = re.sub(r"\D", "", whole)
    if len(digits) > 1 and int(digits[0]) == 0 and not fraction:
        return " ".join(_word(int(digit), language) for digit in digits)  # a code or a telephone number
    return _word(float(f"{digits}.{fraction}") if fraction else int(digits), language)


def _word(number: float, language: str) -> str:
    spell = need("num2words", extra="text").num2words
    try:
        spelled: str = spell(number, lang=language)
    except (NotImplementedError, OverflowError) as error:
        raise ValueError(
            f"number {number}: cannot be spelled in language {language!r}; write it out, or give no language"
        ) from error
    return spelled
