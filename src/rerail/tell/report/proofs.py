"""The proofs of a run as the page shows them: what is known of a cause, the trials behind it, how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import causes, fields, phrases, trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record
    from rerail.tell.story import Intervention

OPEN = 5  # of more proofs than this the trials are folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial in words."""

    number: int
    changed: str
    ended: str
    healthy: bool
    judged: str
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proved cause in words, under the number of its intervention; `evidence` is the folder that a halt left."""

    number: int
    tick: int
    title: str
    facts: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    explanation: str
    fix: str
    exact: str
    trials: tuple[Tried, ...]
    took: str
    remedy: str
    done: str
    effects: tuple[str, ...]
    evidence: str


def proofs(interventions: Sequence[Intervention]) -> list[Proof]:
    """The proof of every intervention that has one."""
    return [_proof(number, case) for number, case in enumerate(interventions, start=1) if case.cause or case.trials]


def _proof(number: int, case: Intervention) -> Proof:
    return Proof(
        number=number,
        tick=case.tick,
        title=fields.capital(causes.kind(case.cause)),
        facts=tuple(causes.facts(case.cause)) if case.cause else (),
        reasons=tuple(fields.sentence(one) for one in causes.reasons(case.cause)),
        explanation=causes.explanation(case.cause),
        fix=causes.fix(case.cause),
        exact=causes.exact(case.cause, case.trials),
        trials=tuple(_tried(place, one) for place, one in enumerate(case.trials, start=1)),
        took=trials.cost(case.trials),
        remedy=fields.sentence(phrases.remedy(case.proved)) if case.proved else "",
        done=fields.sentence(phrases.done(case.did)) if case.did else "",
        effects=tuple(fields.sentence(phrases.effect(one)) for one in case.effects),
        evidence=case.evidence,
    )


def _tried(number: int, record: Record) -> Tried:
    return Tried(
        number=number,
        changed=fields.capital(trials.changed(record)),
        ended=trials.ended(record),
        healthy=record.get("healthy") is True,
        judged=trials.judged(record),
        passes=fields.whole(record, "cost"),
    )
