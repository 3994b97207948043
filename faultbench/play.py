"""Play one cell or control of the fault bench under one tool, and write down what became of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from faultbench.case import Run
from faultbench.cell import Cell, Control, Workload
from faultbench.damage import train
from faultbench.rivals.rival import Played, Rival, played
from faultbench.row import Row
from faultbench.trying import held_out
from rerail.guard import Derailed, Guard
from rerail.tell import journal

CLEAN, BEST, NONE, OURS = "clean", "best", "none", "rerail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """rerail with its defaults, as one of the tools."""

    name: str = OURS
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train under the guard."""
        with TemporaryDirectory() as folder:
            stopped, error = journalled(run, Path(folder) / "run")
            return replace(_played(list(journal.read(Path(folder) / "run"))), stopped=stopped, error=error)


def journalled(run: Run, folder: Path) -> tuple[bool, str]:
    """Train under a guard with its defaults, its journal in `folder`; say whether it was stopped, and the error."""
    guard = Guard(
        run.model,
        run.optimizer,
        run.losses,
        weights=run.weights,
        scheduler=run.scheduler,
        scaler=run.scaler,
        precision=run.precision,
        clip_norm=run.clip_norm,
        after_commit=run.after_commit,
        run=folder,
    )
    ended = _train(guard, run)
    guard.close()
    return ended


def _train(guard: Guard, run: Run) -> tuple[bool, str]:
    try:
        for batch in run.batches:
            guard.step(batch)
    except Derailed:
        return True, ""
    except IndexError as error:  # a label that no class has: the user's own code ends the run
        return True, f"{type(error).__name__}: {error}"
    return False, ""


def _played(records: Sequence[Mapping[str, Any]]) -> Played:
    steps = {one["tick"]: int(float(one["values"].get("step", 0))) for one in records if one["kind"] == "reading"}
    found = [one for one in records if one["kind"] == "verdict" and one["findings"]]
    did = [one["did"] for one in records if one["kind"] == "outcome" and "did" in one]
    return Played(
        detections=tuple(steps[one["tick"]] for one in found),
        wasted=sum(one["computed"] + one["step_before"] - one["step_after"] for one in did),
        acted=len(did),
        named=tuple((steps[one["tick"]], str(one["cause"])) for one in records if one["kind"] == "cause"),
        told=tuple((steps[one["tick"]], str(each["code"])) for one in found for each in one["findings"]),
    )


def play_clean(workload: Workload, seed: int) -> Row:
    """Train a workload with nothing wrong in it and nobody watching."""
    began = time.perf_counter()
    trained = train(workload.build(seed))
    return Row(
        tool=CLEAN,
        cell=f"{workload.name}/{seed}",
        workload=workload.name,
        seed=seed,
        steps=workload.steps,
        held_out=trained.held_out,
        seconds=time.perf_counter() - began,
    )


def play_best(cell: Cell, seed: int) -> Row:
    """Train without the batches of a cell that nobody could learn from."""
    trained = train(cell.best(seed))
    row = replace(_about(cell), tool=BEST, cell=f"{cell.name}/{seed}", held_out=trained.held_out)
    return replace(row, seconds=trained.seconds)


def play_none(cell: Cell, most: float) -> Row:
    """Train the unguarded twin of a cell: it says whether the fault does damage, and when a loss is no number."""
    trained = train(cell.build())
    broke = next((step for step, loss in enumerate(trained.losses) if not math.isfinite(loss)), -1)
    damaging = bool(trained.raised) or not trained.held_out <= most
    row = replace(_about(cell), tool=NONE, most=most, broke=broke, damaging=damaging, held_out=trained.held_out)
    return replace(row, error=trained.raised, stopped=bool(trained.raised), seconds=trained.seconds)


def play_cell(tool: Rival, cell: Cell, none: Row) -> Row:
    """Train a cell under a tool; `none` is the row of its unguarded twin."""
    run = cell.build()
    row = replace(_about(cell), tool=tool.name, most=none.most, broke=none.broke, damaging=none.damaging)
    return _filled(row, tool, run)


def play_control(tool: Rival, control: Control, seed: int) -> Row:
    """Train a healthy control under a tool."""
    run = control.build(seed)
    name = f"{control.name}/{seed}"
    row = Row(tool=tool.name, cell=name, workload=control.name, seed=seed, steps=len(run.batches))
    return _filled(replace(row, begin=len(run.batches)), tool, run)


def _about(cell: Cell) -> Row:
    return Row(
        tool="",
        cell=cell.name,
        workload=cell.workload.name,
        fault=cell.fault.name,
        family=cell.fault.family,
        severity=cell.severity,
        phase=cell.phase,
        seed=cell.seed,
        kept_back=cell.kept_back,
        truth=cell.fault.truth,
        curable=cell.fault.curable,
        begin=cell.begin,
        steps=cell.workload.steps,
    )


def _filled(row: Row, tool: Rival, run: Run) -> Row:
    began = time.perf_counter()
    made = played(tool, run)
    seconds = time.perf_counter() - began
    late = [one for one in made.detections if one >= row.begin]
    acted = made.acted if made.acted is not None else (0 if tool.passive else len(made.detections)) + made.stopped
    named = [cause for step, cause in made.named if step >= row.begin]
    told = sorted({code for step, code in made.told if step >= row.begin or not row.fault})
    return replace(
        row,
        held_out=held_out(run),
        detected=min(late, default=-1),
        alarms=len(made.detections) - len(late),
        interventions=acted,
        wasted=made.wasted,
        stopped=made.stopped,
        finite=all(bool(torch.isfinite(one).all()) for one in run.model.parameters()),
        cause=named[0] if named else "",
        told=" ".join(told),
        error=made.error,
        seconds=seconds,
    )
