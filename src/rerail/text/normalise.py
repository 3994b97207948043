"""Bring a text to the form that symbols are taken from."""

from __future__ import annotations

import re
import unicodedata

from rerail.core.extras import need

QUOTES, DOUBLE_QUOTES, DASHES = "\u2018\u2019\u201a", "\u201c\u201d\u201e\u00ab\u00bb", "\u2013\u2014"
ALIKE = str.maketrans(QUOTES + DOUBLE_QUOTES + DASHES, "'" * 3 + '"' * 5 + "-" * 2)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def normalise(text: str, *, language: str = "", stress: bool = False) -> str:
    """Compose (NFC), fold case, unify quotes and dashes, collapse white space.

    With a `language` code (`en`, `ru`, ...), digits of any script are spelled out, which needs num2words; without one
    they stay symbols of their own. `stress` keeps `+`, which marks a stressed vowel in some corpora.

    Raises:
        ValueError: for a language whose numbers cannot be spelled.
    """
    text = unicodedata.normalize("NFC", text).casefold().translate(ALIKE)
    if language:
        text = NUMBER.sub(lambda found: _spell(found.group(), language), text)
    if not stress:
        text = text.replace("+", "")
    return " ".join(unicodedata.normalize("NFC", text).split())


def _spell(number: str, language: str) -> str:
    value = float(number) if "." in number else int(number)
    try:
        spelled: str = need("num2words", extra="text").num2words(value, lang=language)
    except NotImplementedError:
        raise ValueError(
            f"number {number}: cannot be spelled in language {language!r}; write it out, or give no language"
        ) from None
    return spelled
