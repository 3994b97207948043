"""The run in three sentences and in one table of figures."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerail.tell import causes, fields
from rerail.tell.clock import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record
    from rerail.tell.story import Series, Story

_WINDOW = 20  # readings whose median stands for the start and for the end
_ENDS = {"finished": "finished", "stopped": "was stopped on request", "halted": "was halted by the guard"}
_ACTS = {
    "SKIP": "skipped",
    "REWIND": "went back to a healthy snapshot",
    "HALT": "halted the run",
    "COMMIT": "changed settings without losing a step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A signal at the start and at the end of a run, with its extremes, all as text."""

    name: str
    start: str
    end: str
    low: str
    high: str
    lost: int
    odd: bool = False  # the last value is not finite


def sentences(run: Story) -> list[str]:
    """How it ended, what the guard did, where the figures stand."""
    return [_ending(run), _guarding(run), _standing(run)]


def levels(series: Mapping[str, Series]) -> list[Level]:
    """Losses, held-out metrics, gradient norm, learning rate and step time, in this order."""
    order = ("loss/total", "loss/", "eval/", "grad/norm", "lr", "time/step")
    ranked = {name: rank for rank, prefix in reversed([*enumerate(order)]) for name in series if _fits(name, prefix)}
    return [_level(name, series[name].values) for name in sorted(ranked, key=lambda name: (ranked[name], name))]


def flat(data: Record) -> list[tuple[str, str]]:
    """Nested settings as (dotted name, value) in the order written."""
    return [(".".join(map(fields.plain, path)), fields.plain(value, 2000)) for path, value in fields.leaves(data)]


def _fits(name: str, prefix: str) -> bool:
    return name.startswith(prefix) if prefix.endswith("/") else name == prefix


def _ending(run: Story) -> str:
    reason = fields.text(run.end, "reason")
    end = _ENDS.get(reason, f"ended ({reason or 'no reason given'})")
    if "error" in run.end:
        end = f"broke off ({fields.text(run.end, 'error')})"
    if not run.end:
        end = "has no end in its journal (it is still running, or was killed); it was"
    step = fields.whole(run.end, "step") if run.end else run.last_step or 0
    sessions = f" in {run.sessions} sessions" if run.sessions > 1 else ""
    ticks = fields.count(run.last_tick, "tick")
    lost = [level.name for level in levels(run.series) if level.name.startswith(("loss/", "grad/norm")) and level.odd]
    unsound = f" Its last readings of {_joined(lost[:3])} are not finite." if lost else ""
    return f"The run {end} at step {step}, after {ticks} and {duration(run.seconds)}{sessions}.{unsound}"


def _guarding(run: Story) -> str:
    cases = run.interventions
    if not cases:
        return "The guard did not step in."
    moves = Counter(case.moved for case in cases)
    acts = _joined([_act(move, number) for move, number in moves.items()])
    return f"The guard stepped in {_times(len(cases))}: it {acts}; {_aftermath(run)}.{_causes(run)}"


def _causes(run: Story) -> str:
    """` Causes proved: bad data twice, half precision once.`; empty where none was."""
    found = Counter(causes.kind(case.cause) for case in run.interventions if case.cause)
    found.pop(causes.KINDS["unknown"], None)
    told = ", ".join(f"{kind} {_times(number)}" for kind, number in found.items())
    return told and f" Causes proved: {told}."


def _aftermath(run: Story) -> str:
    known = [case.recovered for case in run.interventions if case.recovered is not None]
    open_cases = len(run.interventions) - len(known)
    told = f"the run recovered after {sum(known)} of {len(known)} judged so far" if open_cases else ""
    if not known:
        return "what came of it is not known yet"
    return told or f"the run recovered after {'each' if all(known) else f'{sum(known)} of {len(known)}'}"


def _act(move: str, number: int) -> str:
    amount = fields.count(number, "update") if move == "SKIP" else _times(number)
    return f"{_ACTS.get(move, f'chose {move}')} {amount}"


def _standing(run: Story) -> str:
    shown = [level for level in levels(run.series) if level.name.startswith(("loss/", "eval/"))]
    if not shown:
        return "No reading was written, so there are no figures to show."
    total = shown[0]
    told = f"Over the run, {total.name} went from {total.start} to {total.end}"
    measured = [f"{level.name} {level.end}" for level in shown if level.name.startswith("eval/")][:4]
    return f"{told}; on held-out data it ended with {_joined(measured)}." if measured else f"{told}."


def _level(name: str, values: Sequence[float]) -> Level:
    finite = [value for value in values if math.isfinite(value)]
    width = 1 if name.startswith("eval/") else max(1, min(_WINDOW, len(values) // 4))
    return Level(
        name=fields.plain(name),
        start=_median(values[:width]),
        end=_median(values[-width:]),
        low=fields.figure(min(finite)) if finite else "none finite",
        high=fields.figure(max(finite)) if finite else "none finite",
        lost=len(values) - len(finite),
        odd=bool(values) and not math.isfinite(values[-1]),
    )


def _median(values: Sequence[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    return fields.figure(statistics.median(finite)) if finite else "not finite"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
