"""Symbol tables: which characters a model reads, and their numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PADDING, END = "<pad>", "<end>"
MOST_SHOWN = 80  # characters of a table in an error


@dataclass(frozen=True, slots=True)
class Symbols:
    """A table of symbols. Number 0 is padding, the last is the end of a text.

    Raises:
        ValueError: for a table of another form, such as one from elsewhere.
    """

    table: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.table) < 2 or self.table[0] != PADDING or self.table[-1] != END:  # noqa: PLR2004 - the two ends
            raise ValueError(f"symbols: {self._shown()} does not run from {PADDING} to {END}; use Symbols.of(texts)")
        if len(set(self.table)) < len(self.table):
            raise ValueError(f"symbols: {self._shown()} holds a symbol twice; use Symbols.of(texts)")

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
            raise ValueError(f"text {text!r}: unknown symbols {names}; known: {self._shown()}; reword it")
        return [*(numbers[character] for character in text), len(self.table) - 1]

    def decode(self, numbers: Sequence[int]) -> str:
        """Return the text of numbers, without padding and end.

        Raises:
            ValueError: for a number that the table lacks.
        """
        if odd := [number for number in numbers if not 0 <= number < len(self.table)]:
            raise ValueError(f"symbols: numbers {odd} are not in 0 to {len(self.table) - 1}; was it another table?")
        return "".join(self.table[number] for number in numbers if 0 < number < len(self.table) - 1)

    def _shown(self) -> str:
        characters = "".join(self.table[1:-1])
        return repr(characters[:MOST_SHOWN]) + (" and more" if len(characters) > MOST_SHOWN else "")


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'no name')}"
