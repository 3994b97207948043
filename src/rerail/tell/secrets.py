"""Tokens and passwords: read from outside the configuration, and never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final


@final
class Secret:
    """A text that no repr, format, pickle or JSON shows."""

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str = "") -> None:
        self._text, self.source = text, source

    def reveal(self) -> str:
        """The text itself, for the one who sends it."""
        return self._text


def read(source: str) -> Secret:
    """Read a secret from `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`.

    Raises:
        ValueError: for anything else, without repeating it; and where there is nothing to read.
    """
    raise NotImplementedError


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """The text with every secret in it replaced, those in URLs included."""
    raise NotImplementedError
