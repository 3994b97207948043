"""What became of one run under one tool: a line of the fault bench's CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run.

    `fault` is empty for a healthy control. `begin` is the first faulty step, `steps` how many batches the run has.
    `damaging` says whether the unguarded twin left the band of clean runs (held-out loss `most` at most), `broke` at
    which step its loss was no number any more, -1 where it always was one. `alarms` are the alarms of a healthy stretch:
    all of a control's, and those before `begin`. `detected` is the first alarm at or after `begin`, -1 where there is
    none; `interventions` counts what was done to the run; `finite` says whether the weights are at the end. `cause` is
    what the tool named, "" where it names none; `told` what its alarms were called.
    """

    tool: str
    cell: str
    workload: str
    fault: str = ""
    family: str = ""
    severity: str = ""
    phase: str = ""
    seed: int = 0
    kept_back: bool = False
    truth: str = ""
    curable: bool = False
    damaging: bool = False
    broke: int = -1
    begin: int = 0
    steps: int = 0
    most: float = math.nan
    held_out: float = math.nan
    detected: int = -1
    alarms: int = 0
    interventions: int = 0
    wasted: int = 0
    stopped: bool = False
    finite: bool = True
    cause: str = ""
    told: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def healthy(self) -> bool:
        """Say whether the run ended like a clean one."""
        return self.held_out <= self.most  # NaN is not

    @property
    def in_time(self) -> bool:
        """Say whether the alarm came before a number that is none could reach the weights."""
        return 0 <= self.detected <= self.broke and self.finite

    @property
    def delay(self) -> int:
        """Return the steps from the fault's begin to the first alarm."""
        return self.detected - self.begin


KINDS = {one.name: type(one.default) if isinstance(one.default, bool | int | float) else str for one in fields(Row)}


def read(path: Path) -> list[Row]:
    """Read the rows of a CSV; nothing where there is none. A line that was torn is left out and run again."""
    if not path.exists():
        return []
    with path.open(encoding="utf8", newline="") as file:
        return [_parse(one) for one in csv.DictReader(file) if None not in one.values() and set(one) == set(KINDS)]


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add rows, with a header where the file is new."""
    new = not path.exists() or not path.stat().st_size
    with path.open("a", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, list(KINDS), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(asdict(one) for one in rows)


def _parse(given: dict[str, str]) -> Row:
    values: dict[str, Any] = {name: _value(KINDS[name], text) for name, text in given.items()}
    return Row(**values)


def _value(kind: type, text: str) -> Any:
    return text == "True" if kind is bool else kind(text)
