"""Letters as Telegram takes them: its HTML, in parts that are short enough, none cut within a symbol or a tag."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rerail.tell.services.service import Letter, readable

TEXT, CAPTION = 4096, 1024  # UTF-16 code units, counted after the tags are parsed
CUT = "[...]"
_RIGHT_TO_LEFT = "\u200f"  # so that a line which begins with a Latin name still runs from the right
_JOINS = frozenset("\u200d\ufe0f")  # these hold a symbol and the one before it together


@dataclass(frozen=True, slots=True)
class Part:
    """One message: its text, and the same with tags."""

    text: str
    html: str


def parts(letter: Letter, *, limit: int = TEXT, most: int | None = None) -> list[Part]:
    """Split a letter into at most `most` messages of at most `limit` UTF-16 units; what is cut off says so."""
    most = letter.most if most is None else most
    chunks = _chunks(list(_pieces(letter, limit)), limit)
    if len(chunks) > most:
        tail = list(_fragments("\n".join(text for text, _ in chunks[most - 1]), limit - len(CUT) - 1))
        chunks = [*chunks[: most - 1], [(tail[0], False), (CUT, False)]]
    return [_part(chunk) for chunk in chunks]


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(symbol > "\uffff" for symbol in text)


def _pieces(letter: Letter, limit: int) -> Iterator[tuple[str, bool]]:
    """Lines that each fit into one message, and whether they are bold; the title is."""
    mark = _RIGHT_TO_LEFT if letter.direction == "rtl" else ""
    for number, line in enumerate((letter.title, *letter.lines)):
        for fragment in _fragments(readable(line, letter.direction), limit - len(mark)):
            yield mark + fragment, number == 0


def _fragments(line: str, limit: int) -> Iterator[str]:
    while units(line) > limit:
        end = _fits(line, limit)
        space = line.rfind(" ", limit // 2, end)
        end = space if space > 0 else _whole(line, end)
        yield line[:end]
        line = line[end:].removeprefix(" ")
    yield line


def _fits(line: str, limit: int) -> int:
    """How many symbols fit into `limit` units."""
    used = 0
    for place, symbol in enumerate(line):
        used += units(symbol)
        if used > limit:
            return place
    return len(line)


def _whole(line: str, end: int) -> int:
    """Step back where a symbol would lose its accent or its other half, unless it is endless."""
    for place in range(end, max(end - 16, 0), -1):
        if not (line[place] in _JOINS or unicodedata.combining(line[place]) or line[place - 1] == "\u200d"):
            return place
    return end


def _chunks(lines: Sequence[tuple[str, bool]], limit: int) -> list[list[tuple[str, bool]]]:
    chunks: list[list[tuple[str, bool]]] = [[]]
    used = 0
    for line in lines:
        need = units(line[0]) + 1  # with the end of the line before it
        if chunks[-1] and used + need > limit + 1:
            chunks.append([])
            used = 0
        chunks[-1].append(line)
        used += need
    return chunks


def _part(chunk: Sequence[tuple[str, bool]]) -> Part:
    html = "\n".join(
        f"<b>{escape(text, quote=False)}</b>" if bold and text else escape(text, quote=False) for text, bold in chunk
    )
    return Part("\n".join(text for text, _ in chunk), html)
