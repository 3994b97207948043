"""Make docs/faultbench.md: every tool on every cell and healthy control of the fault bench.

    python -m faultbench                      # all of it; it takes up where it was stopped
    python -m faultbench --severest           # of each fault in each workload one cell
    python -m faultbench --short              # rerail alone on a few of these, under two minutes

The rows are in the CSV, one a run; a row that is there is not run again (`--afresh NAME` runs one tool again). Tools
whose package is missing are left out and named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from rich.progress import track

from faultbench.cell import Cell, Control, cells
from faultbench.controls import CONTROLS as OPEN_CONTROLS
from faultbench.controls_fresh import FRESH
from faultbench.damage import CLEAN_SEEDS, Band
from faultbench.faults import FAULTS as OPEN_FAULTS
from faultbench.faults.fresh import FRESH_FAULTS
from faultbench.page import page
from faultbench.play import BEST, CLEAN, NONE, OURS, Guarded, play_best, play_cell, play_clean, play_control, play_none
from faultbench.recorded.judge import judge_all, table
from faultbench.rivals.everyone import rivals
from faultbench.rivals.rival import Rival
from faultbench.row import Row, append, read
from faultbench.workloads import WORKLOADS as OPEN_WORKLOADS
from faultbench.workloads.fresh import FRESH_WORKLOADS

WORKLOADS = (*OPEN_WORKLOADS, *FRESH_WORKLOADS)
FAULTS = (*OPEN_FAULTS, *FRESH_FAULTS)
CONTROLS = (*OPEN_CONTROLS, *FRESH)
ALIKE = ("nothing",)  # the unguarded run, which is there already
PARTS = "Debugger "  # single rules of a tool that is played with all of them
SHORT = ("regression", "digits-cnn")


def tools() -> tuple[dict[str, Rival], list[str]]:
    """Return rerail and every rival that can be played, by name, and what is missing."""
    found, missing = rivals()
    return {one.name: one for one in (Guarded(), *found)}, missing


def chosen(seeds: Sequence[int], *, short: bool, severest: bool) -> tuple[list[Cell], list[tuple[Control, int]]]:
    """Return the cells and controls to play."""
    every = list(cells(WORKLOADS, FAULTS, seeds=seeds))
    controls = [(one, seed) for one in CONTROLS for seed in seeds]
    if severest or short:
        every = list({(one.workload.name, one.fault.name, one.seed): one for one in every}.values())
    if not short:
        return every, controls
    some = [one for one in every if one.workload.name in SHORT and not one.kept_back]
    return some, [one for one in controls if one[1] == seeds[0]][:6]


def bands(rows: Sequence[Row]) -> dict[str, float]:
    """Return, for each workload, the highest held-out loss that still is a clean run's.

    Beside it, under its name, that of each cell which loses whole batches.
    """
    losses: dict[str, list[float]] = {}
    for one in rows:
        if one.tool in (CLEAN, BEST):
            losses.setdefault(one.workload if one.tool == CLEAN else one.cell.rpartition("/")[0], []).append(
                one.held_out
            )
    return {name: Band(values=tuple(each)).top for name, each in losses.items() if len(each) >= len(CLEAN_SEEDS)}


def reachable(cell: Cell, most: dict[str, float]) -> float:
    """Return the highest held-out loss that still is a clean run's, of as many batches as the cell leaves."""
    return max(most[cell.workload.name], most.get(cell.name, 0.0))


class Bench:
    """Runs what has no row yet, some at a time, and writes each row as it comes."""

    def __init__(self, path: Path, workers: int) -> None:
        self.path, self.workers = path, workers
        self.rows = read(path)

    def have(self, tool: str) -> set[str]:
        """Return the names of the cells that this tool has played."""
        return {one.cell for one in self.rows if one.tool == tool}

    def run(self, jobs: Sequence[tuple[object, ...]], what: str) -> None:
        """Play the jobs (function, arguments) in other processes."""
        if not jobs:
            return
        with ProcessPoolExecutor(self.workers, initializer=_alone) as pool:
            futures = [pool.submit(*job) for job in jobs]  # type: ignore[arg-type]
            for done in track(as_completed(futures), description=what, total=len(futures)):
                row = done.result()
                append(self.path, [row])
                self.rows.append(row)


def _alone() -> None:
    torch.set_num_threads(1)


def _by_name(name: str) -> Rival:
    return tools()[0][name]


def one_cell(name: str, cell: str, seeds: tuple[int, ...], none: Row) -> Row:
    """Play a cell, named, in a process of its own."""
    return play_cell(_by_name(name), _cells(seeds)[cell], none)


def one_best(cell: str, seeds: tuple[int, ...], seed: int) -> Row:
    """Play a clean run without the batches that a cell loses, named."""
    return play_best(_cells(seeds)[cell], seed)


def one_none(cell: str, seeds: tuple[int, ...], most: float) -> Row:
    """Play a cell's unguarded twin, named."""
    return play_none(_cells(seeds)[cell], most)


def one_control(name: str, number: int, seed: int) -> Row:
    """Play a control, by its number."""
    return play_control(_by_name(name), CONTROLS[number], seed)


def one_clean(number: int, seed: int) -> Row:
    """Play a clean run of a workload, by its number."""
    return play_clean(WORKLOADS[number], seed)


def _cells(seeds: tuple[int, ...]) -> dict[str, Cell]:
    return {one.name: one for one in cells(WORKLOADS, FAULTS, seeds=seeds)}


def main() -> None:
    """Play, and write the page."""
    given = _arguments()
    seeds = tuple(range(given.seeds))
    found, missing = tools()
    names = given.tools or [name for name in found if name not in ALIKE and not name.startswith(PARTS)]
    if given.short:
        names = [OURS]
    if given.afresh:
        _forget(given.csv, set(given.afresh))
    every, controls = chosen(seeds, short=given.short, severest=given.severest)
    every = [one for one in every if not given.workloads or one.workload.name in given.workloads]
    bench = Bench(given.csv, given.workers)
    used = {one.workload.name for one in every}
    places = [(place, seed) for place, one in enumerate(WORKLOADS) if one.name in used for seed in CLEAN_SEEDS]
    had = bench.have(CLEAN)
    clean = [(one_clean, place, seed) for place, seed in places if f"{WORKLOADS[place].name}/{seed}" not in had]
    bench.run(clean, "clean runs")
    had = bench.have(BEST)
    losing = [(one.name, seed) for one in every if one.lost for seed in CLEAN_SEEDS]
    bench.run([(one_best, name, seeds, seed) for name, seed in losing if f"{name}/{seed}" not in had], "fewer batches")
    most, had = bands(bench.rows), bench.have(NONE)
    bench.run([(one_none, one.name, seeds, reachable(one, most)) for one in every if one.name not in had], NONE)
    twins = {one.cell: one for one in bench.rows if one.tool == NONE}
    for name in names:
        some = every if name == OURS else list(_subset(every, given.share))
        had = bench.have(name)
        bench.run([(one_cell, name, one.name, seeds, twins[one.name]) for one in some if one.name not in had], name)
        healthy = controls if name == OURS else [one for one in controls if one[1] == 0][:: max(1, given.share // 4)]
        numbers = {one.name: number for number, one in enumerate(CONTROLS)}
        bench.run(
            [(one_control, name, numbers[one.name], seed) for one, seed in healthy if f"{one.name}/{seed}" not in had],
            f"{name}, controls",
        )
    command = " ".join(["python -m faultbench", *sys.argv[1:]])
    recorded = [] if given.short else table(list(judge_all()))
    given.out.write_text(page(bench.rows, missing, command, recorded), encoding="utf8")


def _subset(every: Sequence[Cell], share: int) -> Iterator[Cell]:
    # Every n-th cell of the first seed, spread over workloads, faults, severities and phases by their order.
    first = [one for one in every if one.seed == every[0].seed]
    yield from first[::share]


def _forget(path: Path, names: set[str]) -> None:
    kept = [one for one in read(path) if one.tool not in names]
    path.unlink(missing_ok=True)
    append(path, kept)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/faultbench.md"))
    parser.add_argument("--csv", type=Path, default=Path("faultbench/results.csv"))
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each cell and control")
    parser.add_argument(
        "--share", type=int, default=3, help="rivals play every n-th cell of the first seed, and every n/4-th control"
    )
    parser.add_argument("--tools", nargs="*", default=[], help="only these; default: all that can be imported")
    parser.add_argument("--workloads", nargs="*", default=[], help="only these")
    parser.add_argument("--afresh", nargs="*", default=[], help="tools whose rows are thrown away first")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--severest",
        action="store_true",
        help="of each fault in each workload one cell: the severest, in its last phase",
    )
    parser.add_argument("--short", action="store_true", help="rerail alone, on a few cells")
    return parser.parse_args()


if __name__ == "__main__":
    main()
