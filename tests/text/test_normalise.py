# ruff: noqa: RUF001 - texts of several scripts are the point here
from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.core import extras
from rerail.text.normalise import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Please   try\tagain.\n", "please try again."),
        ("\u201cIt\u2019s here\u201d \u2014 \u00abici\u00bb\u2026", '"it\'s here" - "ici"...'),
        ("STRASSE Straße", "strasse strasse"),
        ("ЙОД Ёлка", "йод ёлка"),
        (unicodedata.normalize("NFD", "Йод été"), "йод été"),
        ("\ufeffone\u200b two\u00ad\u200f", "one two"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("room 101", "room 101"),
        ("к+офе", "кофе"),
        ("2+2", "2+2"),
    ],
    ids=[
        "space",
        "quotes",
        "german",
        "cyrillic",
        "composed",
        "invisible",
        "persian-joiner",
        "digits",
        "stress",
        "plus",
    ],
)
def test_texts_of_one_sound_become_one_text(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_stress_marks_stay_where_asked_for() -> None:
    assert normalise("К+офе", stress=True) == "к+офе"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Dial 21 now.", "en", "dial twenty-one now."),
        ("1,000 and 2.5", "en", "one thousand and two point five"),
        ("press 1,2,3", "en", "press one,two,three"),
        ("room 007", "en", "room zero zero seven"),
        ("5km", "en", "five km"),
        ("Mr. Smith met Dr. Who etc.", "en", "mister smith met doctor who et cetera."),
        ("The first. St. Mary", "en-gb", "the first. saint mary"),
        ("La Sra. Pérez, Avda. 3", "es", "la señora pérez, avenida tres"),
        ("z. B. so, d.h. nicht", "de", "zum beispiel so, das heisst nicht"),
        ("и т. д. и т.п. в лесу", "ru", "и так далее и тому подобное в лесу"),
        ("Es sind 1.500, etwa 2,5", "de", "es sind eintausendfünfhundert, etwa zwei komma fünf"),
        ("Их 21.", "ru", "их двадцать один."),
        ("۲۱ کتاب", "fa", "بیست و یک کتاب"),
        ("Nothing to spell.", "en", "nothing to spell."),
        ("Dial 21", "en-GB", "dial twenty-one"),
    ],
)
def test_numbers_are_spelled_in_their_language(text: str, language: str, expected: str) -> None:
    assert normalise(text, language=language) == expected


@pytest.mark.parametrize(("text", "language"), [("7", "xx"), ("9" * 400, "en")], ids=["language", "size"])
def test_a_number_that_cannot_be_spelled_is_named(text: str, language: str) -> None:
    with pytest.raises(ValueError, match=rf"number {text[:5]}.*cannot be spelled in language '{language}'"):
        normalise(text, language=language)


def test_without_num2words_the_install_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extras, "import_module", absent)
    assert normalise("no digits", language="en") == "no digits"
    with pytest.raises(ModuleNotFoundError, match=r'num2words is not installed.*pip install "rerail\[text\]"'):
        normalise("3 digits", language="en")


@given(st.text())
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
