"""Play every rival on one healthy run and on one with a NaN row: python -m faultbench.rivals --check.

Prints what each of them did, the held-out loss that it ended with, and how long the healthy run took next to a plain
loop ("" for one that ended it early).
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Sequence

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from faultbench.case import Run
from faultbench.data_rows import CASES
from faultbench.healthy import HEALTHY
from faultbench.rivals.everyone import rivals
from faultbench.rivals.plain import NONE
from faultbench.rivals.rival import Played, Rival, played
from faultbench.trying import held_out

ROUNDS = 5


def healthy() -> Run:
    """Build a healthy run of 150 batches."""
    return next(one for one in HEALTHY if one.name == "heavy-tailed-noise").build(0)


def with_nan() -> Run:
    """Build a run of 60 batches with a row of NaN in one of them."""
    return CASES[0].build(0, faulty=True)


def row(rival: Rival) -> list[str]:
    """Play one rival on both runs."""
    sound, failed = healthy(), with_nan()
    calm, stirred = played(rival, sound), played(rival, failed)
    kind = "watches" if rival.passive else "acts"
    return [rival.name, kind, *told(calm, sound), *told(stirred, failed), "" if calm.stopped else f"{cost(rival):.2f}"]


def told(what: Played, run: Run) -> list[str]:
    """Tell what a rival did with a run."""
    if what.error:
        return [what.error[:60], "", ""]
    ticks = ", ".join(str(tick) for tick in what.detections[:3]) + (" ..." if len(what.detections) > 3 else "")
    alarms = f"{len(what.detections)} ({ticks})" if what.detections else "0"
    return [alarms, f"{what.wasted}{' stopped' if what.stopped else ''}", f"{held_out(run):.4g}"]


def cost(rival: Rival) -> float:
    """Return the seconds of the healthy run in multiples of the plain loop's: the median of five pairs."""
    return statistics.median(_seconds(rival) / _seconds(NONE) for _ in range(ROUNDS))


def _seconds(rival: Rival) -> float:
    run = healthy()
    began = time.perf_counter()
    played(rival, run)
    return time.perf_counter() - began


def table(rows: Sequence[Sequence[str]]) -> Table:
    """Lay out the rows."""
    shown = Table("rival", "", "healthy: alarms", "wasted", "held out", "NaN: alarms", "wasted", "held out", "x plain")
    for one in rows:
        shown.add_row(*one)
    return shown


def main() -> None:
    """Print the table, or the names alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="play them; without it they are listed")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the runs' own
    found, missing = rivals()
    console = Console(width=160)
    if given.check:
        console.print(table([row(one) for one in track(found, description="rivals", transient=True)]))
    else:
        console.print("\n".join(f"{one.name} ({one.needs or 'no package'})" for one in found))
    for line in missing:
        console.print(f"left out: {line}", style="yellow", markup=False)


if __name__ == "__main__":
    main()
