"""Run one case of the zoo under the guard, and compare what was named with the truth."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from faultbench.case import Case, Run
from rerail.guard import Derailed, Guard, Keep
from rerail.sense.losses import Losses
from rerail.tell import journal

KEEP = Keep(snapshot_every=3, probation=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a case: the first cause named after the fault began, and how the run went on.

    `slow` says that every number was still finite when the guard stepped in.
    """

    case: Case
    cause: dict[str, Any]
    interventions: int
    halted: bool
    wasted: int
    held_out: float
    passes: int
    slow: bool
    rows_in_batch: int
    seconds: float

    @property
    def kind(self) -> bool:
        """Whether the kind was named right."""
        return self.cause.get("cause") == self.case.truth.kind

    @property
    def component(self) -> bool:
        """Whether the component was named right."""
        return self.cause.get("component", "") == self.case.truth.component

    @property
    def operation(self) -> bool:
        """Whether the operation was named right; a truth without one asks that none be named."""
        made = self.cause.get("operation") or {}
        name = made.get("name", "") if made.get("origin") == "operation" else ""
        return name.removesuffix("_") == self.case.truth.operation.removesuffix("_")

    @property
    def line(self) -> bool:
        """Whether the source line was named right."""
        return self.case.truth.line in (self.cause.get("operation") or {}).get("line", "")

    @property
    def rows(self) -> bool:
        """Whether exactly the toxic rows were named."""
        if self.case.truth.kind not in {"data", "toxic", "code"}:
            return True
        return sorted(self.cause.get("samples", [])) == sorted(self.case.truth.samples)

    @property
    def right(self) -> bool:
        """Whether kind, component and operation were named right."""
        return self.kind and self.component and self.operation

    @property
    def replays(self) -> int:
        """How many replays the proof took."""
        return int(self.cause.get("replays", 0))

    @property
    def bound(self) -> float:
        """How many replays it may take: 20 + 2 k log2 B, k toxic rows of B."""
        toxic = max(1, len(self.case.truth.samples))
        return 20 + 2 * toxic * math.log2(max(2, self.rows_in_batch))


def tried(case: Case, *, seed: int = 0, keep: Keep = KEEP) -> Tried:
    """Train the faulty run under the guard."""
    run = case.build(seed, faulty=True)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        guard = guarded(run, Path(folder) / "run", keep)
        halted = False
        try:
            for batch in run.batches:
                guard.step(batch)
        except Derailed:
            halted = True
        guard.close()
        records = list(journal.read(Path(folder) / "run"))
    causes = [one for one in records if one["kind"] == "cause"]
    did = [one["did"] for one in records if one["kind"] == "outcome" and "did" in one]
    return Tried(
        case=case,
        cause=causes[0] if causes else {},
        interventions=len(did),
        halted=halted,
        wasted=sum(one["computed"] + one["step_before"] - one["step_after"] for one in did),
        held_out=held_out(run),
        passes=sum(one["cost"] for one in records if one["kind"] == "trial"),
        slow=not any(one["code"].startswith("nonfinite") for one in _first_findings(records)),
        rows_in_batch=len(run.batches[case.truth.step]["id"]),
        seconds=time.perf_counter() - began,
    )


def _first_findings(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return next((one["findings"] for one in records if one["kind"] == "verdict" and one["findings"]), [])


def guarded(run: Run, folder: Path | None, keep: Keep = KEEP) -> Guard:
    """Put a guard over a run."""
    return Guard(
        run.model,
        run.optimizer,
        run.losses,
        weights=run.weights,
        scheduler=run.scheduler,
        scaler=run.scaler,
        precision=run.precision,
        clip_norm=run.clip_norm,
        after_commit=run.after_commit,
        keep=keep,
        run=folder,
    )


def held_out(run: Run) -> float:
    """Return the mean held-out loss, all components summed with their weights."""
    was = run.model.training
    run.model.eval()
    with torch.no_grad():
        totals = [float(Losses.of(run.losses(batch)).total(run.weights)) for batch in run.held_out]
    run.model.train(was)
    return statistics.fmean(totals)
