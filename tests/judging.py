"""Run a detector over made-up readings, with its memory written and read back on the way, as a resume does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rerail.core import plain
from rerail.core.reading import Reading

Values = Mapping[str, float]


def told(
    detector: Any, readings: Iterable[tuple[int, Values]], *, reload_every: int = 97
) -> list[tuple[int, str, str]]:
    """Return (tick, code, signal) of every finding."""
    memory, found = detector.init(), list[tuple[int, str, str]]()
    for number, (tick, values) in enumerate(readings, 1):
        memory, findings = detector.update(memory, Reading(tick=tick, values=values))
        found += [(tick, one.code, one.signal) for one in findings]
        assert all(one.evidence for one in findings)
        if number % reload_every == 0:
            memory = plain.load(type(memory), plain.dump(memory))
    return found


def codes(detector: Any, readings: Iterable[tuple[int, Values]]) -> list[str]:
    return [code for _, code, _ in told(detector, readings)]


def every(ticks: int, values: Callable[[int], Values], step: int = 1) -> list[tuple[int, Values]]:
    """Readings at every `step`th tick up to `ticks`; dear ones, which come every 50 ticks, count the parameters."""
    dear = {"param/total": 1.0} if step > 1 else {}
    return [(tick, {**dear, **values(tick)}) for tick in range(step, ticks + 1, step)]
