"""Do the fresh faults do harm where nobody steps in? Each unguarded run against clean runs of several seeds.

    python -m faultbench.fresh --out fresh.csv                # each fault at its severest, one seed
    python -m faultbench.fresh --all --seeds 3 --out all.csv  # every severity

All cells of fresh workloads and fresh faults are kept back: no threshold was chosen on any of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from faultbench.cell import Cell, Workload, cells
from faultbench.damage import damage, row, summary, write
from faultbench.faults.fresh import FRESH_FAULTS
from faultbench.workloads import WORKLOADS
from faultbench.workloads.fresh import FRESH_WORKLOADS

EVERY: tuple[Workload, ...] = (*FRESH_WORKLOADS, *WORKLOADS)


def severest(found: Iterable[Cell]) -> list[Cell]:
    """Take the cells of each fault's last severity only."""
    return [one for one in found if one.severity == list(one.fault.severities)[-1]]


def measured(name: str, seeds: Sequence[int], only: Sequence[str], *, mild: bool) -> list[dict[str, object]]:
    """Measure the cells of one workload, in a process of its own."""
    torch.set_num_threads(1)
    workload = next(one for one in EVERY if one.name == name)
    faults = [one for one in FRESH_FAULTS if not only or {one.name, one.family} & set(only)]
    found = list(cells([workload], faults, seeds=seeds))
    return [row(damage(cell)) for cell in (found if mild else severest(found))]


def main() -> None:
    """Measure the cells and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="the mild severities too")
    parser.add_argument("--workloads", nargs="*", default=[one.name for one in EVERY])
    parser.add_argument("--faults", nargs="*", default=[], help="names or families")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("fresh.csv"))
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    with ProcessPoolExecutor(given.workers) as pool:
        jobs = [
            pool.submit(measured, name, range(given.seeds), given.faults, mild=given.all) for name in given.workloads
        ]
        for job in jobs:
            rows += job.result()
            write(given.out, rows)  # what there is, should it be stopped
    print(summary(rows))  # noqa: T201


if __name__ == "__main__":
    main()
