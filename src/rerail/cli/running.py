"""A training run with someone watching: a console, and the report at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerail.fit import FitConfig, Result, Task, train
from rerail.tell import report
from rerail.tell.console import Console
from rerail.tell.journal import Listener

CODES = {"finished": 0, "halted": 3, "stopped": 130}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a watched run ended."""

    result: Result
    page: Path

    @property
    def code(self) -> int:
        """The exit code."""
        return CODES[self.result.reason]


def run_under_eyes(
    task: Task,
    fit: FitConfig,
    run: Path,
    *,
    resume: bool | Path = False,
    describe: Mapping[str, Any] | None = None,
    notes: Mapping[str, Mapping[str, Any]] | None = None,
    listeners: Sequence[Listener] = (),
) -> Watched:
    """Train with a progress bar, for other listeners too; write the report; say how it ended."""
    with Console(total=fit.steps, every=fit.log_every) as console:
        heard: list[Listener] = [console, *listeners]
        result = train(task, fit, run=run, resume=resume, listeners=heard, describe=describe, notes=notes)
    page = report.write(run)
    sys.stdout.write(f"{result.message or 'finished'}\nreport: {page}\n")
    return Watched(result=result, page=page)
