"""Run folders with a journal that was written by hand: settings, and a function that gives the numbers of each step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rerail.tell import compare
from rerail.tell.compare import Comparison
from rerail.tell.compare.course import Course

BEGAN = 1_790_000_000.0
ENVIRONMENT = {"rerail": "0.1.0", "torch": "2.13.0", "python": "3.11.7", "threads": 1, "cuda": []}
Values = Mapping[str, float]


def note(text: str, *, tick: int = 0, at: float = 0.0, **data: Any) -> dict[str, Any]:
    return {"v": 1, "kind": "note", "tick": tick, "time": BEGAN + at, "text": text, "data": data}


def reading(tick: int, step: int, *, at: float | None = None, **values: float) -> dict[str, Any]:
    named = {name.replace("__", "/"): _encoded(value) for name, value in values.items()}
    time = BEGAN + (tick if at is None else at)
    return {"v": 1, "kind": "reading", "tick": tick, "time": time, "values": {"step": float(step), **named}}


def write(folder: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one, allow_nan=False) + "\n" for one in records]
    (folder / "journal.jsonl").write_text("".join(lines), encoding="utf8")
    return folder


def run(
    folder: Path,
    values: Callable[[int], Values],
    *,
    steps: int = 40,
    seconds: float = 1.0,
    environment: Mapping[str, Any] = ENVIRONMENT,
    **config: Any,
) -> Path:
    """A run of one session, a tick a step; `values` names the signals of the step before tick `step + 1`."""
    records = [note("start", config=config, environment=environment, step=0)]
    for step in range(steps):
        told = {name: _encoded(value) for name, value in values(step).items()}
        time = BEGAN + seconds * (step + 1)
        records.append({"v": 1, "kind": "reading", "tick": step + 1, "time": time, "values": {"step": step, **told}})
    records.append(note("end", tick=steps, at=seconds * steps, reason="finished", step=steps))
    return write(folder, records)


def falling(start: float, *, rate: float = 0.1, signal: str = "loss/mel", **more: float) -> Callable[[int], Values]:
    """An exponential fall; `more` are signals that stay, `eval__mel` for eval/mel."""
    still = {name.replace("__", "/"): value for name, value in more.items()}
    return lambda step: {signal: start * math.exp(-rate * step), **still}


def course(folder: Path, *, aside: Iterable[str] | None = None) -> Course:
    return compare.course.read(folder, folder.name, None if aside is None else frozenset(aside))


def compared(folders: Sequence[Path], **asked: Any) -> Comparison:
    return compare.compare(compare.read(folders), compare.Asked(**asked))


def _encoded(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
