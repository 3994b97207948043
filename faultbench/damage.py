"""Does a fault do harm where nobody steps in? The unguarded faulty run against clean runs of several seeds.

    python -m faultbench.damage --seeds 3 --out damage.csv

A cell is damaging where its held-out loss lies outside the clean band (above mean + 3 sd over the clean seeds, and above
the largest of them), is not finite, or where the run did not end at all.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from faultbench.case import Batch, Run
from faultbench.cell import PHASES, Cell, Workload, cells
from faultbench.faults import FAULTS
from faultbench.trying import held_out
from faultbench.workloads import WORKLOADS
from rerail.sense.losses import Losses

CLEAN_SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What an unguarded run came to. `raised` is the error that ended it, "" where it went to its end."""

    losses: tuple[float, ...]  # the total at each step
    held_out: float
    raised: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The held-out losses of the clean runs."""

    values: tuple[float, ...]

    @property
    def top(self) -> float:
        """Give the level above which a run is damaged."""
        spread = statistics.stdev(self.values)
        return max(statistics.fmean(self.values) + 3 * spread, *self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A cell, its unguarded run, and the clean band beside it."""

    cell: Cell
    trained: Trained
    band: Band

    @property
    def damaging(self) -> bool:
        """Say whether the fault does harm."""
        return bool(self.trained.raised) or not self.trained.held_out <= self.band.top  # NaN is no smaller


def train(run: Run) -> Trained:
    """Train on, whatever happens, and measure."""
    began = time.perf_counter()
    totals: list[float] = []
    raised = ""
    try:
        totals.extend(step(run, batch) for batch in run.batches)
    except IndexError as error:  # a label that no class has: a run without a guard ends here
        raised = f"{type(error).__name__}: {error}"
    loss = held_out(run)
    return Trained(losses=tuple(totals), held_out=loss, raised=raised, seconds=time.perf_counter() - began)


def step(run: Run, batch: Batch) -> float:
    """Take one training step as a plain loop does: scale, unscale, clip, update, schedule."""
    run.optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=run.precision or torch.bfloat16, enabled=run.precision is not None):
        total = Losses.of(run.losses(batch)).total(run.weights)
    (total if run.scaler is None else run.scaler.scale(total)).backward()  # type: ignore[no-untyped-call]
    if run.scaler is not None:
        run.scaler.unscale_(run.optimizer)
    if math.isfinite(run.clip_norm):
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), run.clip_norm)
    if run.scaler is None:
        run.optimizer.step()
    else:
        run.scaler.step(run.optimizer)
        run.scaler.update()
    if run.scheduler is not None:
        run.scheduler.step()
    if run.after_commit is not None:
        run.after_commit()
    return float(total.detach())


@cache
def band(workload: Workload, seeds: tuple[int, ...] = CLEAN_SEEDS) -> Band:
    """Train the clean run over the seeds."""
    assert len(seeds) >= 3
    return Band(values=tuple(train(workload.build(seed)).held_out for seed in seeds))


def damage(cell: Cell) -> Damage:
    """Train the faulty twin of a cell."""
    return Damage(cell=cell, trained=train(cell.build()), band=band(cell.workload))


COLUMNS = ("cell", "truth", "curable", "kept_back", "damaging", "held_out", "band_top", "seconds", "raised")


def row(found: Damage) -> dict[str, object]:
    """Give the cell's line of the table."""
    fault, trained = found.cell.fault, found.trained
    return {
        "cell": found.cell.name,
        "truth": fault.truth,
        "curable": fault.curable,
        "kept_back": found.cell.kept_back,
        "damaging": found.damaging,
        "held_out": f"{trained.held_out:.6g}",
        "band_top": f"{found.band.top:.6g}",
        "seconds": f"{trained.seconds:.2f}",
        "raised": trained.raised,
    }


def measured(number: int, seeds: Sequence[int], phases: Sequence[str], only: Sequence[str]) -> list[dict[str, object]]:
    """Measure all cells of one workload, by its number, in a process of its own."""
    torch.set_num_threads(1)
    faults = [fault for fault in FAULTS if not only or {fault.name, fault.family} & set(only)]
    return [row(damage(cell)) for cell in cells([WORKLOADS[number]], faults, seeds=seeds, phases=phases)]


def write(out: Path, rows: Sequence[dict[str, object]]) -> None:
    """Write the table."""
    with out.open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def summary(rows: Iterable[dict[str, object]]) -> str:
    """Tell by fault and severity in how many cells of each workload it does harm."""
    counts: dict[tuple[str, str], dict[str, list[bool]]] = {}
    for one in rows:
        workload, fault, severity, _, _ = str(one["cell"]).split("/")
        counts.setdefault((fault, severity), {}).setdefault(workload, []).append(str(one["damaging"]) == "True")
    lines = []
    for (fault, severity), found in sorted(counts.items()):
        hits = sum(sum(one) for one in found.values())
        every = sum(len(one) for one in found.values())
        each = ", ".join(f"{name} {sum(one)}/{len(one)}" for name, one in found.items())
        lines.append(f"{fault:28s} {severity:12s} {hits:3d}/{every:3d}  {each}")
    return "\n".join(lines)


def main() -> None:
    """Measure every cell and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--phases", nargs="*", default=list(PHASES))
    parser.add_argument("--workloads", nargs="*", default=[one.name for one in WORKLOADS])
    parser.add_argument("--faults", nargs="*", default=[], help="names or families")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("damage.csv"))
    given = parser.parse_args()
    numbers = [number for number, one in enumerate(WORKLOADS) if one.name in given.workloads]
    rows: list[dict[str, object]] = []
    with ProcessPoolExecutor(given.workers) as pool:
        jobs = [pool.submit(measured, number, range(given.seeds), given.phases, given.faults) for number in numbers]
        for job in jobs:
            rows += job.result()
            write(given.out, rows)  # what there is, should it be stopped
    print(summary(rows))  # noqa: T201


if __name__ == "__main__":
    main()
