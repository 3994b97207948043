"""The rows of the interventions table: what was seen, why it matters, what was done, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import causes, fields, phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.story import Intervention

SHOWN = 500  # more rows than this nobody reads; the rest is counted, and stands in the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One intervention in words; `medians` holds (signal, before, now), `recovered` is None until it is known.

    `cause` is empty where nothing was replayed; `proved` says that a replay has shown the remedy to work.
    """

    number: int
    tick: int
    step: int
    move: str
    seen: tuple[str, ...]
    reasons: tuple[str, ...]
    cause: str
    proved: bool
    decided: tuple[str, ...]
    done: str
    effects: tuple[str, ...]
    medians: tuple[tuple[str, str, str], ...]
    recovered: bool | None


def rows(interventions: Sequence[Intervention]) -> list[Row]:
    """All interventions in journal order, numbered from 1."""
    return [_row(number, each) for number, each in enumerate(interventions, start=1)]


def _row(number: int, case: Intervention) -> Row:
    codes = dict.fromkeys(fields.text(record, "code") for record in [*case.findings, *case.adopted])
    return Row(
        number=number,
        tick=case.tick,
        step=case.step,
        move=case.moved,
        seen=tuple(phrases.finding(record) for record in case.findings),
        reasons=tuple(reason for reason in map(phrases.meaning, codes) if reason),
        cause=fields.capital(causes.named(case.cause)) if case.cause else "",
        proved=bool(case.proved),
        decided=tuple(dict.fromkeys(map(phrases.remedy, case.adopted))),
        done=phrases.done(case.did) if case.did else "",
        effects=tuple(_effect(record) for record in case.effects),
        medians=tuple(phrases.compared(case.effects[-1])) if case.effects else (),
        recovered=case.recovered,
    )


def _effect(outcome: fields.Record) -> str:
    said = outcome.get("recovered", False)
    word = "Went on" if said is None else "Recovered" if said is True else "Not recovered"
    return f"{word} after {fields.count(fields.whole(outcome, 'after'), 'tick')}"
