"""The rows of the interventions table: what was seen, why it matters, what was done, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.story import Intervention

SHOWN = 500  # more rows than this nobody reads; the rest is counted, and stands in the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One intervention in words; `medians` holds (signal, before, now), `recovered` is None until it is known."""

    number: int
    tick: int
    step: int
    move: str
    seen: tuple[str, ...]
    reasons: tuple[str, ...]
    decided: tuple[str, ...]
    done: str
    effects: tuple[str, ...]
    medians: tuple[tuple[str, str, str], ...]
    recovered: bool | None


def rows(interventions: Sequence[Intervention]) -> list[Row]:
    """All interventions in journal order, numbered from 1."""
    return [_row(number, each) for number, each in enumerate(interventions, start=1)]


def recovered(case: Intervention) -> bool | None:
    """Whether the last word on an intervention is that the run recovered; None while there is no such word."""
    said = case.effects[-1].get("recovered", False) if case.effects else None
    return None if said is None else said is True


def move(case: Intervention) -> str:
    """What was really done, else what was decided."""
    return fields.text(case.did, "move") or case.move or "COMMIT"


def _row(number: int, case: Intervention) -> Row:
    codes = dict.fromkeys(fields.text(record, "code") for record in [*case.findings, *case.remedies])
    return Row(
        number=number,
        tick=case.tick,
        step=case.step,
        move=move(case),
        seen=tuple(phrases.finding(record) for record in case.findings),
        reasons=tuple(reason for reason in map(phrases.meaning, codes) if reason),
        decided=tuple(dict.fromkeys(map(phrases.remedy, case.remedies))),
        done=phrases.done(case.did) if case.did else "",
        effects=tuple(_effect(record) for record in case.effects),
        medians=tuple(phrases.compared(case.effects[-1])) if case.effects else (),
        recovered=recovered(case),
    )


def _effect(outcome: fields.Record) -> str:
    said = outcome.get("recovered", False)
    word = "Went on" if said is None else "Recovered" if said is True else "Not recovered"
    return f"{word} after {fields.count(fields.whole(outcome, 'after'), 'tick')}"
