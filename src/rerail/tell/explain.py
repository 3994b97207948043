"""The story of an intervention in plain words: seen, tried, proved, done, what came of it, how it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import advised, causes, fields, phrases, trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.story import Intervention, Story

_NO_PROOF = "Nothing was replayed: the answer came from the plan's ladders."
_TOLD = "Nothing was replayed: such findings are told, with advice, and not answered."
_NOT_FINISHED = "The journal ends before a cause: the run was killed while it replayed."


def explain(run: Story, tick: int | None = None) -> str:
    """The story of what happened at a tick; without one, every intervention in a line, and the story of the last.

    Raises:
        ValueError: where nothing happened at that tick, naming the ticks at which something did.
    """
    cases = run.interventions
    if tick is not None:
        return "\n\n".join(_story(case) for case in _at(cases, tick))
    if not cases:
        return "The guard did not step in."
    listed = [f"  {line(case)}" for case in cases]
    return "\n".join(
        [f"{fields.count(len(cases), 'intervention')}:", *listed, "", "The last one:", "", _story(cases[-1])]
    )


def _at(cases: Sequence[Intervention], tick: int) -> list[Intervention]:
    found = [case for case in cases if case.tick == tick]
    if not found:
        ticks = ", ".join(str(one) for one in dict.fromkeys(case.tick for case in cases))
        known = f"it did at: {ticks}" if ticks else "it did at none"
        raise ValueError(f"--tick: the guard did not step in at tick {tick}; {known}")
    return found


def line(case: Intervention) -> str:
    """An intervention in a line: what was seen, why, what was decided, how it ended."""
    seen = phrases.seen(case.findings[0]) if case.findings else "nothing found"
    more = f" and {len(case.findings) - 1} more" if len(case.findings) > 1 else ""
    decided = [phrases.remedy(one) for one in case.adopted] or [phrases.MOVES.get(case.moved, case.moved)]
    parts = [f"{seen}{more}", causes.named(case.cause) if case.cause else "", *dict.fromkeys(decided), _ended(case)]
    return f"tick {case.tick}, step {case.step}: {'; '.join(part for part in parts if part)}"


def _ended(case: Intervention) -> str:
    known = {True: "recovered", False: "not recovered", None: "went on"}
    if case.effects:
        return known[case.recovered]
    if _only_told(case):
        return "told, and the run went on"
    return "the run ended here" if case.moved == "HALT" else "outcome not known yet"


def _only_told(case: Intervention) -> bool:
    """Whether nothing was asked for or done: the finding changed nothing."""
    return case.moved == "COMMIT" and not (case.did or case.remedies or case.trials)


def _story(case: Intervention) -> str:
    chapters = [
        ("What was seen", _seen(case)),
        ("What was tried", _tried(case)),
        ("What it proves", _proved(case)),
        ("What was done", _done(case)),
        ("What came of it", _came_of_it(case)),
        ("What is advised", [advised.advice(one) for one in case.advice]),
        ("How to mend it", [causes.fix(case.cause)] if case.cause else []),
    ]
    title = f"Tick {case.tick}, step {case.step}"
    told = [line for name, lines in chapters if any(lines) for line in ("", name, *_indented(lines))]
    return "\n".join([title, "=" * len(title), *told])


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines if line]


def _seen(case: Intervention) -> list[str]:
    codes = dict.fromkeys(fields.text(found, "code") for found in case.findings)
    found = [fields.sentence(phrases.finding(one)) for one in case.findings]
    return [*found, *(phrases.meaning(code) for code in codes)] or ["Nothing was found."]


def _tried(case: Intervention) -> list[str]:
    if not case.trials:
        return [_TOLD if _only_told(case) else _NO_PROOF]
    shown = [f"{number}. {trials.trial(one)}" for number, one in enumerate(case.trials, 1)]
    return ["The step was replayed with one thing changed at a time:", *shown, f"This took {trials.cost(case.trials)}."]


def _proved(case: Intervention) -> list[str]:
    if not case.cause:
        return [_NOT_FINISHED] if case.trials else []
    why = [fields.sentence(one) for one in causes.reasons(case.cause)]
    known = [f"{name}: {value}" for name, value in causes.facts(case.cause)]
    return [*known, *why, causes.explanation(case.cause), causes.exact(case.cause, case.trials)]


def _done(case: Intervention) -> list[str]:
    shown = "Shown to work by a replay" if case.proved else "Decided"
    decided = [f"{shown}: {phrases.remedy(one)}." for one in case.adopted]
    return [*dict.fromkeys(decided), fields.sentence(phrases.done(case.did)) if case.did else ""]


def _came_of_it(case: Intervention) -> list[str]:
    script = "reproduce.py there fails the same way, once it imports your model"
    kept = f"Evidence is in the run's folder, {case.evidence}: {script}."
    effects = [fields.sentence(phrases.effect(one)) for one in case.effects]
    return [*(effects or [fields.sentence(_ended(case))]), kept if case.evidence else ""]
