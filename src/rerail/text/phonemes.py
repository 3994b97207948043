"""Texts as the sounds that are spoken, in IPA, by eSpeak NG: for languages whose spelling says little of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from rerail.core.extras import need

OWN = {"en": "en-us", "fr": "fr-fr"}  # codes that stand for several of eSpeak's


def phonemes(text: str, language: str) -> str:
    """Return the sounds of a normalised text, stress marked, punctuation kept.

    Raises:
        ModuleNotFoundError: naming the command that installs what this needs (GPL-3).
        ValueError: where no language is given, or eSpeak does not know it.
    """
    if not language:
        raise ValueError("phonemes: the language is not known; name it in the data, or by --language")
    spoken: list[str] = _backend(OWN.get(language, language)).phonemize([text], strip=True)
    return " ".join(spoken[0].split())


@cache
def _backend(language: str) -> Any:  # noqa: ANN401 (an optional library)
    wrapper = need("phonemizer.backend.espeak.wrapper", extra="phonemes").EspeakWrapper
    library = need("espeakng_loader", extra="phonemes")
    wrapper.set_library(library.get_library_path())
    wrapper.set_data_path(library.get_data_path())
    kind = need("phonemizer.backend", extra="phonemes").EspeakBackend
    if not kind.is_supported_language(language):
        raise ValueError(f"phonemes: eSpeak has no {language!r}; give one of its codes, or leave --phonemes out")
    return kind(language, with_stress=True, preserve_punctuation=True, language_switch="remove-flags")
