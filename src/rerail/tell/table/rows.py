"""The tables of a run: readings a row a tick; interventions, trials and events a row each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from typing import TYPE_CHECKING

from rerail.tell import fields, words
from rerail.tell.latest import Latest
from rerail.tell.report.interventions import rows as in_words
from rerail.tell.story import gather

if TYPE_CHECKING:
    from rerail.tell.fields import Record

Cell = str | bool | int | float | None
Row = Sequence[Cell]
Again = Callable[[], Iterable["Record"]]  # the journal from its beginning
_LONGEST = 32_000  # characters of a cell; spreadsheets take 32,767
_WHOLE = 2**63  # what is as large or larger is no 64-bit integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns by name, with the type of their cells, and how rows come of records."""

    columns: Mapping[str, type[str | bool | int | float]]
    rows: Callable[[Iterable[Record]], Iterator[Row]]


def readings(again: Again, signals: Sequence[str]) -> Table:
    """A row a reading: its tick, its time, and each signal in the order in which they first came.

    Raises:
        ValueError: for a pattern that fits no signal.
    """
    whole, total = _found(again())
    if missed := [one for one in signals if not any(_fits(name, one) for name in whole)]:
        raise ValueError(f"no signal fits {fields.listed(missed)}; this run gives: {fields.listed(sorted(whole), 40)}")
    names = [name for name in whole if not signals or any(_fits(name, one) for one in signals)]

    def rows(records: Iterable[Record]) -> Iterator[Row]:
        for number, record in enumerate(one for one in records if one.get("kind") == "reading"):
            if number >= total:  # a run that trains has more by now, perhaps of other signals
                continue
            values = _values(record)
            cells = [_cell(values.get(name), whole=whole[name]) for name in names]
            yield [fields.whole(record, "tick"), _time(record), *cells]

    named = _distinct(["tick", "time", *map(fields.plain, names)])
    kinds = [int, float, *(int if whole[name] else float for name in names)]
    return Table(columns=dict(zip(named, kinds, strict=True)), rows=rows)


def _found(records: Iterable[Record]) -> tuple[dict[str, bool], int]:
    """Whether the numbers of each signal are all whole, and how many readings there are."""
    whole: dict[str, bool] = {}
    readings = 0
    for record in records:
        readings += record.get("kind") == "reading"
        for name, value in _values(record).items():
            if whole.get(name, True):
                whole[name] = _is_whole(value)
    return whole, readings


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of columns, those that were there before with a number behind."""
    taken: list[str] = []
    for name in names:
        others = (f"{name} ({number})" for number in count(2))
        taken.append(name if name not in taken else next(one for one in others if one not in taken))
    return taken


def events(_: Again, __: Sequence[str]) -> Table:
    """A row for everything that a person would be told, in words."""

    def rows(records: Iterable[Record]) -> Iterator[Row]:
        latest = Latest()
        for record in records:
            latest.update(record)
            if record.get("kind") != "reading" and (said := words.say(record)) is not None:
                kind = fields.text(record, "kind")
                yield [fields.whole(record, "tick"), latest.step, _time(record), kind, said]

    return Table(columns={"tick": int, "step": int, "time": float, "kind": str, "text": str}, rows=rows)


def trials(_: Again, __: Sequence[str]) -> Table:
    """A row a replay: what it changed, whether it was healthy, and its numbers, as JSON."""

    def rows(records: Iterable[Record]) -> Iterator[Row]:
        for record in records:
            if record.get("kind") == "trial":
                yield [
                    *(fields.whole(record, "tick"), fields.whole(record, "number"), _time(record)),
                    *(_json(record, "changed"), _yes(record.get("healthy")), fields.whole(record, "cost")),
                    *(_yes(record.get("exact")), _json(record, "values"), fields.text(record, "error")),
                ]

    columns = {"tick": int, "number": int, "time": float, "changed": str, "healthy": bool, "cost": int, "exact": bool}
    return Table(columns={**columns, "values": str, "error": str}, rows=rows)


def interventions(_: Again, __: Sequence[str]) -> Table:
    """A row for each tick at which the guard saw something or acted: what, why, what was done, what came of it."""

    def rows(records: Iterable[Record]) -> Iterator[Row]:
        cases = gather((_slim(record) for record in records), name="").interventions
        for case, told in zip(cases, in_words(cases), strict=True):
            codes = dict.fromkeys(fields.text(one, "code") for one in case.findings)
            yield [
                *(told.tick, told.step, told.move, "; ".join(codes), "; ".join(told.seen)),
                *(fields.text(case.cause, "cause"), fields.text(case.cause, "component"), told.proved),
                *("; ".join(told.decided), told.done, "; ".join(told.effects), told.recovered),
            ]

    columns = {"tick": int, "step": int, "move": str, "codes": str, "seen": str, "cause": str, "component": str}
    later = {"proved": bool, "decided": str, "done": str, "effect": str, "recovered": bool}
    return Table(columns={**columns, **later}, rows=rows)


TABLES: dict[str, Callable[[Again, Sequence[str]], Table]] = {
    "readings": readings,
    "interventions": interventions,
    "trials": trials,
    "events": events,
}


def _values(record: Record) -> Record:
    return fields.mapping(record, "values") if record.get("kind") == "reading" else {}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _WHOLE


def _cell(value: object, *, whole: bool) -> Cell:
    if type(value) is float:  # by far the most of them
        return value
    return value if whole and isinstance(value, int) else fields.number(value)


def _time(record: Record) -> float | None:
    return fields.number(record.get("time"))


def _yes(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _json(record: Record, key: str) -> str:
    return fields.plain(json.dumps(record.get(key), ensure_ascii=False), _LONGEST)


def _slim(record: Record) -> Record:
    """A reading without its numbers but the step: a million of them are not to be kept."""
    if record.get("kind") != "reading":
        return record
    return {**record, "values": {name: value for name, value in _values(record).items() if name == "step"}}
