"""The texts of all notices, in the languages that there are: one YAML file a language."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.notice import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice in words: a title, and (label, text) for what happened, why, what was done, what is expected.

    Each text is one printable line; a line without text is left out.
    """

    title: str
    lines: tuple[tuple[str, str], ...]


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are: `en`, `fa`, `ko`, `ru`."""
    raise NotImplementedError


def text(notice: Notice, language: str = "en") -> Told:
    """Put a notice into words; what a language lacks is English.

    Raises:
        ValueError: for an unknown language, naming those that there are.
    """
    raise NotImplementedError
