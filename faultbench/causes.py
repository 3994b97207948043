"""Make docs/causes.md: python -m faultbench.causes [--only MODULE ...] [--out FILE].

Trains every failure of the zoo under the guard, compares the cause that it names with the truth, compares the repaired
run with clean runs and with what others do, and trains the healthy runs, which must be left alone.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import track

from faultbench.case import Case
from faultbench.healthy import HEALTHY
from faultbench.peers import PEERS
from faultbench.trying import KEEP, Tried, guarded, held_out, tried
from faultbench.zoo import cases
from rerail.core.remedy import Move

SEEDS = 5
OTHER_SEEDS = 4
WIDE = 3.0  # standard deviations above the mean of the clean runs, and still one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The held-out loss of a repaired run beside clean ones; `wasted` steps; the same of every peer."""

    case: Case
    most: float
    clean: float
    guard: float
    wasted: int
    slow: bool
    peers: dict[str, tuple[float, int]]

    def inside(self, loss: float) -> bool:
        """Say whether a held-out loss is one that clean runs have."""
        return loss <= self.most  # NaN is not


def clean_band(case: Case) -> tuple[float, float]:
    """Return the mean held-out loss of clean runs, and the highest that still is one of them."""
    losses = []
    for seed in range(SEEDS):
        run = case.build(seed, faulty=False)
        PEERS["nothing"](run)
        losses.append(held_out(run))
    mean = statistics.fmean(losses)
    return mean, max(mean + WIDE * statistics.stdev(losses), *losses)


def repaired(one: Tried) -> Repaired:
    """Train the clean runs and every peer."""
    clean, most = clean_band(one.case)
    peers = {}
    for name, peer in PEERS.items():
        run = one.case.build(0, faulty=True)
        try:
            wasted = peer(run)
            peers[name] = held_out(run), wasted
        except (ValueError, RuntimeError):  # the peer's run broke down, in an error of its own
            peers[name] = math.nan, len(run.batches)
    return Repaired(
        case=one.case, most=most, clean=clean, guard=one.held_out, wasted=one.wasted, slow=one.slow, peers=peers
    )


def touched() -> list[str]:
    """Train the healthy runs; return those that the guard did anything to."""
    found = []
    runs = [(healthy, seed) for healthy in HEALTHY for seed in range(1 + OTHER_SEEDS)]
    for healthy, seed in track(runs, description="healthy runs"):
        run = healthy.build(seed)
        guard = guarded(run, None)
        moves = {guard.step(batch).verdict.move for batch in run.batches}
        if moves != {Move.COMMIT} or guard.steps != len(run.batches):
            found.append(f"{healthy.name}, seed {seed}: {sorted(move.name for move in moves)}")
    return found


def page(
    results: Sequence[Tried],
    seeds: Sequence[Tried],
    repairs: Sequence[Repaired],
    healthy: Sequence[str],
    missing: Sequence[str],
) -> str:
    """Return the document."""
    return "\n".join(
        [
            "# Causes: what rerail names, and what becomes of the run",
            "",
            f"Made by `python -m faultbench.causes` on {platform.machine()}, {os.cpu_count()} cores, CPU, torch "
            f"{torch.__version__}, Python {platform.python_version()}. Each failure reproduces a public thread (linked); "
            "`faultbench/case.py` says what each kind means. Seeds are fixed, so a second run gives the same tables. "
            f"The guard keeps a snapshot every {KEEP.snapshot_every} steps, promoted after {KEEP.probation} healthy ones; "
            "all else is its default.",
            "",
            *_summary(results, seeds, repairs, healthy, missing),
            "",
            "## Named against the truth",
            "",
            "K kind, C component, O operation, L source line, R exactly the toxic rows (data, toxic and code): a letter "
            "where it is right, `-` where it is wrong. Replays are those of the first proof, beside the bound "
            "20 + 2 k log2 B; passes are the forward and backward passes of all replays of the run, windows included.",
            "",
            "| failure | truth | its line | its rows | named | right | replays | passes | model |",
            "|---|---|---|---|---|---|---|---|---|",
            *map(_row, results),
            "",
            "## What became of the run",
            "",
            f"Held-out loss after the run, beside the mean of {SEEDS} clean runs and the highest loss that counts as one "
            f"of them (mean + {WIDE:g} standard deviations, or the largest seen). Bold: inside. In brackets the steps "
            "wasted: refused or undone. Only failures that leaving rows out or a setting can cure.",
            "",
            f"| failure | clean, at most | rerail | {' | '.join(PEERS)} |",
            f"|---|---|---|{'---|' * len(PEERS)}",
            *map(_repair, repairs),
            "",
        ]
    )


def _summary(
    results: Sequence[Tried],
    seeds: Sequence[Tried],
    repairs: Sequence[Repaired],
    healthy: Sequence[str],
    missing: Sequence[str],
) -> Iterator[str]:
    count, foreign = len(results), sum(1 for one in results if one.case.package)
    yield f"- {count} failures, {foreign} of them in models of public packages."
    for name in ("kind", "component", "operation", "line", "rows", "right"):
        right = sum(1 for one in results if getattr(one, name))
        label = "kind, component and operation together" if name == "right" else name
        yield f"- {label}: {right} of {count} right ({right / count:.0%})."
    over = [one.case.name for one in results if one.replays > one.bound]
    most = max(one.replays for one in results)
    yield f"- replays of a proof: at most {most}; over the bound: {', '.join(over) or 'none'}."
    inside = sum(1 for one in repairs if one.inside(one.guard))
    yield f"- repaired runs inside the band of clean ones: {inside} of {len(repairs)}."
    for name in PEERS:
        good = sum(1 for one in repairs if one.inside(one.peers[name][0]))
        yield f"- {name}: {good} of {len(repairs)}."
    whole = sum(1 for one in seeds if one.right and one.line and one.rows)
    yield f"- over {OTHER_SEEDS} more seeds of each: everything right in {whole} of {len(seeds)}."
    for name, slow in (("non-finite", False), ("slow", True)):
        wasted = [one.wasted for one in repairs if one.slow is slow]
        yield f"- steps wasted by rerail on {name} faults: at most {max(wasted, default=0)} ({len(wasted)} faults)."
    runs = len(HEALTHY) * (1 + OTHER_SEEDS)
    yield f"- healthy runs touched: {len(healthy)} of {runs} ({len(HEALTHY)} kinds){': ' + '; '.join(healthy) if healthy else ''}."
    yield from (f"- left out: {one}." for one in missing)


def _row(one: Tried) -> str:
    case, made = one.case, one.cause.get("operation") or {}
    marks = zip("KCOLR", (one.kind, one.component, one.operation, one.line, one.rows), strict=True)
    truth = ", ".join(part for part in (case.truth.kind, case.truth.component, case.truth.operation) if part)
    line = f"`{case.truth.line}`".replace("|", "\\|") if case.truth.line else ""
    got = [one.cause.get("cause", "nothing"), one.cause.get("component", "")]
    got += [made.get("name", "") if made.get("origin") == "operation" else ""]
    named = ", ".join(part for part in got if part)
    return (
        f"| [{case.name}]({case.source}) | {truth} | {line} | {' '.join(case.truth.samples)} | {named} | `{''.join(c if ok else '-' for c, ok in marks)}` | "
        f"{one.replays} / {one.bound:.0f} | {one.passes} | {case.package or 'own'} |"
    )


def _repair(one: Repaired) -> str:
    cells = [_cell(one, one.guard, one.wasted), *(_cell(one, *one.peers[name]) for name in PEERS)]
    return f"| {one.case.name} | {one.clean:.4g}, {one.most:.4g} | {' | '.join(cells)} |"


def _cell(one: Repaired, loss: float, wasted: int) -> str:
    shown = f"{loss:.4g} ({wasted})"
    return f"**{shown}**" if one.inside(loss) else shown


def main() -> None:
    """Make the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], help="modules of the zoo; all where none is given")
    parser.add_argument("--out", default="", help="file to write; standard output where none is given")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the failures' own
    began = time.perf_counter()
    found, missing = cases(given.only)
    results = [tried(case) for case in track(found, description="failures")]
    repairs = [repaired(one) for one in track(results, description="repairs") if one.case.repairable]
    others = [(case, seed) for case in found for seed in range(1, OTHER_SEEDS + 1)]
    seeds = [tried(case, seed=seed) for case, seed in track(others, description="other seeds")]
    text = page(results, seeds, repairs, touched(), missing)
    if given.out:
        Path(given.out).write_text(text, encoding="utf8")
    else:
        sys.stdout.write(text)
    sys.stderr.write(f"{time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
