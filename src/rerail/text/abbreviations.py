# ruff: noqa: RUF001 - letters of several scripts are the point here
"""Abbreviations as they are spoken, by language: titles and the few others that stand in sentences to be read aloud."""

from __future__ import annotations

import re

SPOKEN = {
    "en": {"mr": "mister", "mrs": "missis", "dr": "doctor", "prof": "professor", "st": "saint", "vs": "versus"}
    | {"etc": "et cetera", "jr": "junior", "sr": "senior", "approx": "approximately", "ext": "extension"},
    "es": {"sr": "señor", "sra": "señora", "srta": "señorita", "dr": "doctor", "dra": "doctora", "etc": "etcétera"}
    | {"ud": "usted", "uds": "ustedes", "avda": "avenida"},
    "fr": {"mme": "madame", "mlle": "mademoiselle", "dr": "docteur", "etc": "et cetera", "av": "avenue"},
    "it": {"sig": "signor", "dott": "dottor", "prof": "professor", "ecc": "eccetera"},
    "de": {
        "hr": "herr",
        "fr": "frau",
        "dr": "doktor",
        "prof": "professor",
        "usw": "und so weiter",
        "bzw": "beziehungsweise",
    }
    | {"z. b": "zum beispiel", "d. h": "das heißt"},
    "ru": {"т. е": "то есть", "т. д": "так далее", "т. п": "тому подобное", "др": "другие", "ул": "улица"},
}


def spelled(text: str, language: str) -> str:
    """Write out the abbreviations of a language (`en`, `en-gb`, ...), which end in a full stop; others stay.

    At the end of a text, where the stop may be the sentence's own, it is kept.
    """
    known = SPOKEN.get(language.lower().partition("-")[0].partition("_")[0], {})
    if not known:
        return text
    names = "|".join(re.escape(one).replace("\\ ", r"\s?") for one in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<![^\W_])({names})\.(\s*$)?", lambda found: _said(found, known), text, flags=re.IGNORECASE)


def _said(found: re.Match[str], known: dict[str, str]) -> str:
    short = re.sub(r"\.\s?", ". ", found[1].lower())
    return known[short] + ("." if found[2] is not None else "")
