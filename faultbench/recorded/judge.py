"""What the default plan of today makes of the recorded trainings. Pure: readings in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faultbench.recorded.index import Entry, entries, records
from rerail.core.plans import default_plan
from rerail.core.verdict import Plan, relive, start

HARMLESS = frozenset({"scale.overflow"})  # answered as the loss scale itself does, which finds its size so


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One training, judged: by code the ticks at which it was found, and the codes that a ladder answers."""

    entry: Entry
    ticks: int
    seen: Mapping[str, Sequence[int]]
    answered: frozenset[str]

    @property
    def early(self) -> dict[str, int]:
        """Return what was found while nothing was wrong, with its first tick."""
        first = {code: ticks[0] for code, ticks in self.seen.items()}
        return {code: tick for code, tick in first.items() if not self.entry.fault or tick < self.entry.begin}

    @property
    def alarms(self) -> dict[str, int]:
        """Return what was found while nothing was wrong and may not be: what is answered, and what is not allowed."""
        harmless = set(self.entry.told) - (self.answered - HARMLESS)
        return {code: at for code, at in self.early.items() if code not in harmless}

    @property
    def after(self) -> dict[str, int]:
        """Return what was found of the fault, with its first tick after it began."""
        late = {code: [one for one in ticks if one >= self.entry.begin] for code, ticks in self.seen.items()}
        return {code: ticks[0] for code, ticks in late.items() if ticks and self.entry.fault}

    @property
    def late(self) -> dict[str, int | None]:
        """Return what should have been found and was not, or not in time; with the tick at which it was."""
        found = self.after
        return {
            code: found.get(code) for code, by in self.entry.expect.items() if code not in found or found[code] > by
        }

    @property
    def delay(self) -> int | None:
        """Return the ticks from the beginning of the fault to the first finding that is expected of it."""
        found = [tick for code, tick in self.after.items() if code in self.entry.expect]
        return min(found) - self.entry.begin if found else None


def judge(entry: Entry, given: Iterable[Mapping[str, Any]], plan: Plan) -> Judged:
    """Judge the readings of one training."""
    seen: dict[str, list[int]] = {}
    ticks = 0
    for lived in relive(plan, start(plan), given):
        ticks += 1
        for code in {found.code for found in lived.verdict.findings}:
            seen.setdefault(code, []).append(lived.verdict.tick)
    answered = frozenset(code for code in seen if plan.ladder(code))
    return Judged(entry=entry, ticks=ticks, seen=seen, answered=answered)


def judge_all() -> Iterator[Judged]:
    """Judge every recorded training by the default plan."""
    plan = default_plan()
    for entry in entries():
        yield judge(entry, records(entry.name), plan)


def table(judged: Sequence[Judged]) -> list[str]:
    """Return the lines of a Markdown table: sound trainings first."""
    sound = [one for one in judged if not one.entry.fault]
    failed = [one for one in judged if one.entry.fault]
    ticks = sum(one.ticks for one in sound)
    wrong = sum(code in one.answered - HARMLESS for one in sound for code in one.early)
    return [
        f"{len(sound)} sound trainings, {ticks} ticks: {wrong} findings that would have been answered. {len(failed)} "
        f"failed ones: {sum(not one.late and not one.entry.missed for one in failed)} seen in time and in full.",
        "",
        "| training | what is wrong | ticks | found (first tick) | delay | expected and late | false alarms | known: missed, or found wrongly |",
        "|---|---|---|---|---|---|---|---|",
        *[_row(one) for one in (*sound, *failed)],
    ]


def _row(one: Judged) -> str:
    entry = one.entry
    fault = f"{entry.fault} (tick {entry.begin})" if entry.fault else ""
    cells = (
        f"{entry.name}: {entry.model}",
        fault,
        str(one.ticks),
        _listed(one.after if entry.fault else one.early),
        "" if one.delay is None else str(one.delay),
        ", ".join(f"{code} ({'never' if at is None else at})" for code, at in one.late.items()),
        _listed(one.alarms),
        "; ".join(f"{code}: {why}" for code, why in {**entry.missed, **entry.wrong}.items()),
    )
    return f"| {' | '.join(cells)} |"


def _listed(found: Mapping[str, int]) -> str:
    return ", ".join(f"{code} ({at})" for code, at in sorted(found.items(), key=lambda each: (each[1], each[0])))
