"""Symbol tables: which characters a model reads, and their numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PADDING, END = "<pad>", "<end>"


@dataclass(frozen=True, slots=True)
class Symbols:
    """A table of symbols. Number 0 is padding, the last is the end of a text."""

    table: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Symbols:
        """Make the table of every character in `texts` (normalised already), in code point order."""
        return cls((PADDING, *sorted({character for text in texts for character in text}), END))

    def __len__(self) -> int:
        return len(self.table)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's characters, and of its end.

        Raises:
            ValueError: naming every character that the table lacks.
        """
        numbers = {symbol: number for number, symbol in enumerate(self.table)}
        if unknown := sorted(set(text) - set(self.table)):
            names = ", ".join(f"{one!r} ({_name(one)})" for one in unknown)
            raise ValueError(f"text {text!r}: unknown symbols {names}; known: {''.join(self.table[1:-1])!r}; reword it")
        return [*(numbers[character] for character in text), len(self.table) - 1]

    def decode(self, numbers: Sequence[int]) -> str:
        """Return the text of numbers, without padding and end."""
        return "".join(self.table[number] for number in numbers if 0 < number < len(self.table) - 1)


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'no name')}"
