"""What another plan would have decided over a journal: up to the first verdict that differs, since then is fiction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rerail.core import plain
from rerail.core.verdict import Plan, relive, start

_PLAIN = {"move": "COMMIT", "findings": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How far two plans agree: `ticks` judged alike, of which `told` were more than a plain commit.

    Where they part, `then` is the journal's verdict at the next tick (`tick`) and `now` the other plan's.
    """

    ticks: int
    told: int
    tick: int = 0
    then: Mapping[str, Any] | None = None
    now: Mapping[str, Any] | None = None


def replay(plan: Plan, records: Iterable[Mapping[str, Any]]) -> Replayed:
    """Judge a journal's readings under `plan` up to the first verdict that differs from the journal's. Pure."""
    kept = list(records)
    written = {one["tick"]: one for one in kept if one["kind"] == "verdict"}
    ticks = told = 0
    for lived in relive(plan, start(plan), kept):
        then = written.get(lived.verdict.tick, _PLAIN)
        now = plain.dump(lived.verdict)
        if any(now[name] != then[name] for name in ("move", "findings")):
            return Replayed(ticks=ticks, told=told, tick=lived.verdict.tick, then=then, now=now)
        ticks += 1
        told += lived.verdict.tick in written
    return Replayed(ticks=ticks, told=told)
