"""The texts of all notices, in the languages that there are: one YAML file a language.

A text is a list of sentences. `{name}` stands for a value of the notice, `{name:table}` for what a table of the
language makes of it, which may be a sentence with names of its own; `any` is its entry for values that it does not
know. A sentence of which a value is empty is left out, so that nobody reads of what is not known. What a language lacks
is told in English. In right-to-left languages every value is isolated, so that names and figures do not reorder it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING, Any

import yaml

from rerail.tell import fields

if TYPE_CHECKING:
    from rerail.core.notice import Notice

LINES = ("happened", "why", "done", "expected")
_ENGLISH = "en"
_LONGEST = 1000  # symbols of one value
_ISOLATED, _ENDED = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice in words: a title, and (label, text) for what happened, why, what was done, what is expected.

    Each text is one printable line; a line without text is left out. `right_to_left` is how the language is written.
    """

    title: str
    lines: tuple[tuple[str, str], ...]
    right_to_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language's file: labels by line, what a letter says of itself, tables, and for every code its title and lines.

    `shared` holds sentences that several notices refer to, inside the file.
    """

    labels: Mapping[str, str]
    letters: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    notices: Mapping[str, Mapping[str, Any]]
    right_to_left: bool = False
    shared: Mapping[str, Any] = field(default_factory=dict)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are: `en`, `fa`, `ko`, `ru`."""
    files = (one.name for one in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


@lru_cache
def language(code: str) -> Language:
    """Read a language's file.

    Raises:
        ValueError: for an unknown language, naming those that there are.
    """
    if code not in languages():
        raise ValueError(f"language: got {code!r}; notices are told in {', '.join(languages())}; give one of these")
    return Language(**yaml.safe_load((resources.files(__name__) / f"{code}.yaml").read_text(encoding="utf8")))


def text(notice: Notice, spoken: str = _ENGLISH) -> Told:
    """Put a notice into words; what the language lacks is English.

    Raises:
        ValueError: for an unknown language, naming those that there are.
    """
    words = language(spoken)
    words = words if notice.code in words.notices else language(_ENGLISH)
    given = words.notices[notice.code]
    filled = _Filled(words, notice.values)
    said = ((words.labels[line], filled.paragraph(given.get(line, ()))) for line in LINES)
    lines = tuple((label, paragraph) for label, paragraph in said if paragraph)
    return Told(title=filled.paragraph([given["title"]]), lines=lines, right_to_left=words.right_to_left)


def phrase(name: str, spoken: str, **values: object) -> str:
    """Return what a letter says of itself (`digest`, `more`, `spent`)."""
    words = language(spoken)
    return _Filled(words, {key: str(value) for key, value in values.items()}).paragraph([words.letters[name]])


def sentences(given: Any) -> Iterator[str]:  # noqa: ANN401 (YAML: lists that are shared stand inside others)
    """Yield the sentences of a line; lists within it are shared with other lines."""
    for one in [given] if isinstance(given, str) else given:
        if isinstance(one, str):
            yield one
        else:
            yield from sentences(one)


def placeholders(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield (name, table) of every value that a sentence needs; no table is an empty one."""
    for _, name, table, _ in Formatter().parse(sentence):
        if name:
            yield name, table or ""


class _Filled:
    """Sentences of one language with the values of one notice."""

    def __init__(self, words: Language, values: Mapping[str, str]) -> None:
        self._words, self._values = words, values

    def paragraph(self, given: Sequence[Any]) -> str:
        """Return the sentences of which everything is known."""
        return " ".join(told for one in sentences(given) if (told := self._sentence(one)))

    def _sentence(self, template: str) -> str:
        parts = []
        for literal, name, table, _ in Formatter().parse(template):
            shown = self._value(name, table or "") if name else ""
            if name and not shown:
                return ""
            parts.append(literal + shown)
        return "".join(parts)

    def _value(self, name: str, table: str) -> str:
        value = self._values.get(name, "")
        entries = self._words.tables[table] if table and value else {}
        if entry := entries.get(value, entries.get("any")):
            return self._sentence(entry)
        shown = fields.plain(value, _LONGEST)
        return f"{_ISOLATED}{shown}{_ENDED}" if shown and self._words.right_to_left else shown
