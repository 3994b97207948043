"""A training run with someone watching: a console, and the report at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerail.cli.notifying import Tell
from rerail.fit import FitConfig, Result, Task, train
from rerail.tell import printed, report
from rerail.tell.console import Console
from rerail.tell.journal import Listener

CODES = {"finished": 0, "halted": 3, "stopped": 130}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a watched run ended."""

    result: Result

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
    tell: Tell | None = None,
) -> Watched:
    """Train with a progress bar, for other listeners too; write the report; say how it ended.

    `tell` sets up who is told of the run. Where that fails, the run's journal says so, and it is trained all the same.
    """
    if tell is not None and (why := tell(run)):
        notes = {**(notes or {}), "nobody is told of this run": {"error": why}}
        printed.text(f"nobody is told of this run: {why}")
    with Console(total=fit.steps, every=fit.log_every) as console:
        heard: list[Listener] = [console, *listeners]
        result = train(task, fit, run=run, resume=resume, listeners=heard, describe=describe, notes=notes)
    sys.stdout.write(f"{result.message or 'finished'}\n")
    printed.text(_report(run))
    return Watched(result=result)


def _report(run: Path) -> str:
    try:
        return f"report: {report.write(run)}"
    except (OSError, ValueError, ModuleNotFoundError) as error:  # a full disk makes no failure of a run that is over
        return f"no report was written ({error}); run: rerail report {run}"
