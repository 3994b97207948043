# ruff: noqa: RUF001 - sounds are the point here
from __future__ import annotations

import pytest

from rerail.core import extras
from rerail.tasks.speech.corpus import CorpusConfig
from rerail.text import phonemes as module
from rerail.text.phonemes import phonemes


def test_a_text_without_a_language_has_no_sounds() -> None:
    with pytest.raises(ValueError, match="the language is not known"):
        phonemes("hold the line", "")


def test_where_it_is_not_installed_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

    monkeypatch.setattr(extras, "import_module", missing)
    module._backend.cache_clear()
    with pytest.raises(ModuleNotFoundError, match=r'pip install "rerail\[phonemes\]"'):
        phonemes("hold the line", "en")


@pytest.mark.parametrize(
    ("text", "language", "sounds"),
    [
        ("hold the line.", "en", "hˈoʊld ðə lˈaɪn."),
        ("hola, amigo!", "es", "ˈola, amˈiɣo!"),
        ("дом", "ru", "dˈom"),
    ],
)
def test_sounds_of_several_languages(text: str, language: str, sounds: str) -> None:
    pytest.importorskip("phonemizer")
    assert phonemes(text, language) == sounds
    assert CorpusConfig(phonemes=True).symbols_of(text.upper(), language) == sounds


def test_a_language_that_espeak_has_not_is_refused() -> None:
    pytest.importorskip("phonemizer")
    with pytest.raises(ValueError, match="eSpeak has no 'xx'"):
        phonemes("a", "xx")
