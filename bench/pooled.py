"""Convergence of the XTTS-style trainer on pooled real speech: steps and time to the loss that `original` ends with.

    python bench/pooled.py --data DIR/train.csv,... --validation DIR/validation.csv,... [--settings original enhanced]
                           [--seeds 0 1 2] [--steps 400]
    python bench/pooled.py --show

Tiny network, batches of 16 in one micro-batch for all, recordings of up to 8 s, the settings of each level else, but
for its warm-up, which is at most a tenth of the run. `adamw RATE` is AdamW at that rate on the trainer's own defaults,
with such a warm-up and half a cosine. What is measured is the unweighted mean absolute mel error after the postnet,
held-out and teacher-forced. Each run appends its curve to OUT/pooled.csv; what is there is not run again. `--show`
prints the table: steps to the error that `original` ends with, of the same seed, steps and data (`on`), interpolated
between measurements; `key` names the very settings.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from statistics import fmean
from typing import Any

from levels import added, apart, interval, key_of, lines, values
from torch import nn

from rerail.fit import FitConfig, Parts, train
from rerail.tasks.speech.evaluate import mel_error
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask

EVERY = 20  # steps between measurements
ADAMW = "adamw "
SETTINGS = [
    "original",
    "basic",
    "enhanced",
    "fast-convergence",
    *(f"{ADAMW}{rate}" for rate in ("5e-4", "1e-3", "2e-3")),
]
COLUMNS = ("name", "key", "on", "seed", "step", "seconds", "mel")
Curve = list[tuple[int, float, float]]  # (step, seconds of training, mel error)
Kind = tuple[str, str, str]  # name, key of its settings, key of steps and data


@dataclass(frozen=True)  # without slots, as what it extends
class Watched(XttsTask):
    """Measures the mel error alone, and when that was; the time that it takes is not the training's."""

    def __post_init__(self) -> None:
        """Begin without a curve."""
        self.__dict__["curve"], self.__dict__["spent"] = [], 0.0

    def build(self) -> Parts:
        """Keep the run's own parts: those that are built later are of forks."""
        made = super().build()
        self.__dict__.setdefault("parts", made)
        return made

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure; what a fork is measured by is a part of the run's time, and no point of its curve."""
        began = time.perf_counter()
        error = mel_error(model, batches, shuffle_text=False)  # type: ignore[arg-type]
        parts: Parts = self.__dict__["parts"]
        if model is parts.model:
            self.__dict__["curve"].append((parts.scheduler.last_epoch, began - self.__dict__["spent"], error))
            self.__dict__["spent"] += time.perf_counter() - began
        return {"mel": error}

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Any]:
        """Draw nothing."""
        del model, batches, last
        return {}


def settings(name: str) -> dict[str, Any]:
    """Return the settings that a name stands for."""
    if name.startswith(ADAMW):
        return {"lr": float(name.removeprefix(ADAMW)), "schedule": "cosine", "warmup": 10**6}
    return dict(values(name))


def given_of(name: str, steps: int) -> dict[str, Any]:
    """Return the settings that a name is run with, but for the seed."""
    fixed = {"batch_size": 16, "accumulate": 1, "num_workers": 0}
    chosen = settings(name) | fixed | {"epochs": 0, "patience": 0, "evaluate_every": EVERY}
    return chosen | {"warmup": min(chosen["warmup"], steps // 10), "steps": steps}


def kind(name: str, given: argparse.Namespace) -> Kind:
    """Return what a run is known by: runs are compared where they had the same steps and data."""
    on = {"steps": given.steps, "data": given.data, "validation": given.validation}
    return name, key_of(given_of(name, given.steps)), key_of(on)


def one(name: str, seed: int, given: argparse.Namespace) -> Curve:
    """Train once; return the curve."""
    looped, rest = apart(given_of(name, given.steps))
    fit = FitConfig(**looped, seed=seed, threads=1)
    config = XttsConfig(
        data=given.data,
        validation=given.validation,
        cache=str(given.out / "features"),
        held_out=64,
        longest=8.0,
        size="tiny",
        **rest,
    )
    task, run = Watched(config, fit), given.out / "run"
    task.compute(lambda _name, _done, _all: None)
    shutil.rmtree(run, ignore_errors=True)
    done = train(task, fit, run=run)
    if done.reason != "finished":
        raise SystemExit(f"{name}, seed {seed}: {done.reason}: {done.message}")
    curve = task.__dict__["curve"]
    return [(step, at - curve[0][1], error) for step, at, error in curve]


def rows(of: Kind, seed: int, curve: Curve) -> list[dict[str, Any]]:
    """Return the lines of a curve."""
    cells = ((*of, seed, step, f"{seconds:.2f}", f"{error:.5f}") for step, seconds, error in curve)
    return [dict(zip(COLUMNS, one, strict=True)) for one in cells]


def curves(table: Path) -> dict[Kind, dict[int, Curve]]:
    """Read the table: a curve by kind of run and seed."""
    found = defaultdict[Kind, dict[int, Curve]](dict)
    for row in lines(table, COLUMNS):
        point = (int(row["step"]), float(row["seconds"]), float(row["mel"]))
        found[row["name"], row["key"], row["on"]].setdefault(int(row["seed"]), []).append(point)
    return dict(found)


def reached(curve: Curve, error: float) -> float | None:
    """Return the step at which the curve first came down to an error; None where it never did."""
    if curve[0][2] <= error:
        return float(curve[0][0])
    for (before, _, high), (after, _, low) in pairwise(curve):
        if low <= error:
            return before + (after - before) * (high - error) / (high - low)
    return None


def shown(table: Path) -> str:
    """Return a line for each kind of run: what they end with, steps to what `original` ends with, and their share."""
    found = curves(table)
    originals = {on: runs for (name, _, on), runs in found.items() if name == "original"}
    text = ["| settings | key | on | seeds | mel error at the end | steps to `original`'s | share of its | s a step |"]
    text.append("|---" * 8 + "|")
    for (name, key, on), runs in found.items():
        compared = {seed: (curve, originals[on][seed]) for seed, curve in runs.items() if seed in originals.get(on, {})}
        steps = [reached(curve, original[-1][2]) for curve, original in compared.values()]
        wholes = [original[-1][0] for _, original in compared.values()]
        paces = [(curve[-1][1] - curve[0][1]) / max(1, curve[-1][0] - curve[0][0]) for curve in runs.values()]
        cells = [interval([curve[-1][2] for curve in runs.values()]), *arrival(steps, wholes), f"{fmean(paces):.2f}"]
        text.append(f"| {name} | {key} | {on} | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(text)


def arrival(steps: list[float | None], wholes: list[int]) -> list[str]:
    """Return the steps that were needed, and their share of `original`'s; a mean only where all have arrived."""
    there = [step for step in steps if step is not None]
    if not steps:
        return ["", ""]
    if len(there) < len(steps):
        after = f", after {', '.join(f'{step:.0f}' for step in there)}" if there else ""
        return [f"{len(there)} of {len(steps)} arrived{after}", ""]
    return [interval(there), interval([step / whole for step, whole in zip(there, wholes, strict=True)])]


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="", help="lists to train on, with commas")
    parser.add_argument("--validation", default="", help="lists to measure on, with commas")
    parser.add_argument("--settings", nargs="+", default=SETTINGS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("runs/pooled"))
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    table = given.out / "pooled.csv"
    if not given.show:
        there = {(of, seed) for of, runs in curves(table).items() for seed in runs}
        for seed, name in product(given.seeds, given.settings):
            if ((of := kind(name, given)), seed) not in there:
                added(table, rows(of, seed, one(name, seed, given)), COLUMNS)
    print(shown(table))


if __name__ == "__main__":
    main()
