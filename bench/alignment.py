"""How soon a Tacotron2 reads held-out text free-running, on real speech: steps and wall time, over seeds.

    rerail data get festvox-ru && rerail data prepare festvox-ru    # see docs/data.md
    python bench/alignment.py --data festvox-ru-prepared [--kinds dynamic location] [--seeds 0 1 2] [--steps 300]

Trains with each kind of attention, with and without guide, measures every 50 steps on clips that no training saw, and
prints a table made from the runs' journals. A run that is there is not trained again, one that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rerail.fit import FitConfig, train
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tell import journal

MARKS = (0.7, 0.9)
MASS = "eval/diagonal_mass/free"
LAST = ("diagonality/free", "diagonality/forced", "gate_accuracy/free", "length_error/free", "mel", "reads_text")


KINDS: dict[str, dict[str, Any]] = {
    f"{attention}{'' if guided else '-unguided'}": {
        "attention": attention,
        "weight_attention": 1.0 if guided else 0.0,
        "guide_moves": guided,
    }
    for attention in ("dynamic", "location", "forward")
    for guided in (True, False)
}


def settings(given: argparse.Namespace, kind: str, seed: int) -> tuple[Tacotron2Config, FitConfig]:
    """Return what is trained: a small network, r = 4, clips up to 9 s, batch 16."""
    config = Tacotron2Config(
        data=str(given.data / "train.csv"),
        validation=str(given.data / "validation.csv"),
        cache=str(given.out / "features"),
        held_out=12,
        size="small",
        reduction=4,
        longest=9.0,
        gate_positive=60.0,  # about as many steps as a clip has: one stop weighs what all others do
        **KINDS[kind],
    )
    fit = FitConfig(
        steps=given.steps,
        batch_size=16,
        lr=3e-3,
        warmup=50,
        evaluate_every=50,
        checkpoint_every=100,
        seed=seed,
        threads=given.threads,
    )
    return config, fit


def trained(given: argparse.Namespace, kind: str, seed: int) -> Path:
    """Train one run, unless it is there; return its folder."""
    run: Path = given.out / f"{kind}-{seed}"
    if run.exists() and any(one["kind"] == "note" and one["text"] == "end" for one in journal.read(run)):
        return run
    config, fit = settings(given, kind, seed)
    result = train(Tacotron2Task(config, fit), fit, run=run, resume=run.exists(), describe=asdict(config))
    sys.stderr.write(f"{run}: {result.reason} at step {result.steps} {result.message}\n")
    return run


def evaluations(run: Path) -> Iterator[dict[str, Any]]:
    """Yield the held-out measurements of a run, each with its step and the seconds of training before it."""
    seconds = 0.0
    for one in journal.read(run):
        if one["kind"] == "reading":
            values = one["values"]
            seconds += values.get("time/step", 0.0)
            if MASS in values:
                yield {**values, "seconds": seconds}


def reached(run: Path, mark: float) -> tuple[float, float] | None:
    """Return (step, seconds) of the first of two measurements in a row that reach `mark`; None where none does."""
    seen = list(evaluations(run))
    for one, after in zip(seen, [*seen[1:], seen[-1]], strict=True):
        if one[MASS] >= mark and after[MASS] >= mark:
            return one["step"], one["seconds"]
    return None


def row(run: Path) -> str:
    """Return a run's line of the table."""
    *_, last = evaluations(run)
    marks = [reached(run, mark) for mark in MARKS]
    cells = ["never" if one is None else f"{one[0]:.0f} ({one[1] / 60:.1f} min)" for one in marks]
    cells += [f"{last['step']:.0f}", f"{last[MASS]:.3f}", *(f"{last[f'eval/{name}']:.3f}" for name in LAST)]
    readings = [one["values"] for one in journal.read(run) if one["kind"] == "reading"]
    steps = median(one["time/step"] for one in readings if "time/step" in one)
    return "| " + " | ".join([run.name, *cells, f"{steps:.2f}"]) + " |"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that `rerail data prepare` made")
    parser.add_argument("--out", type=Path, default=Path("runs/alignment"))
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=["dynamic", "dynamic-unguided", "location"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    runs = [trained(given, kind, seed) for kind in given.kinds for seed in given.seeds]
    names = ("run", *(f"mass >= {mark}, step" for mark in MARKS), "steps", "mass", *LAST, "s a step (median)")
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
    print("\n".join(map(row, runs)))


if __name__ == "__main__":
    main()
