"""How soon a Tacotron2 reads held-out text free-running, on real speech: steps and wall time, over seeds.

    rerail data get festvox-ru && rerail data prepare festvox-ru    # see docs/data.md
    python bench/alignment.py --data festvox-ru-prepared [--seeds 0 1 2] [--steps 1000] [--out runs/alignment]

Trains with and without guided attention, measures every 50 steps on clips that no training saw, and prints a table made
from the runs' journals. A run that is there is not trained again, one that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
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


def settings(data: Path, *, seed: int, guided: bool, steps: int, out: Path) -> tuple[Tacotron2Config, FitConfig]:
    """Return what is trained: 559 sentences, r = 4, clips up to 9 s, batch 16."""
    config = Tacotron2Config(
        data=str(data / "train.csv"),
        validation=str(data / "validation.csv"),
        cache=str(out / "features"),
        held_out=16,
        size="small",
        reduction=4,
        longest=9.0,
        weight_attention=1.0 if guided else 0.0,
        guide_moves=guided,
    )
    fit = FitConfig(steps=steps, batch_size=16, lr=3e-3, warmup=50, evaluate_every=50, checkpoint_every=200, seed=seed)
    return config, fit


def trained(data: Path, *, seed: int, guided: bool, steps: int, out: Path) -> Path:
    """Train one run, unless it is there; return its folder."""
    run = out / f"{'guided' if guided else 'plain'}-{seed}"
    if run.exists() and any(one["kind"] == "note" and one["text"] == "end" for one in journal.read(run)):
        return run
    config, fit = settings(data, seed=seed, guided=guided, steps=steps, out=out)
    result = train(Tacotron2Task(config, fit), fit, run=run, resume=run.exists())
    sys.stderr.write(f"{run}: {result.reason} at step {result.steps}\n")
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
    steps = median(one["values"]["time/step"] for one in journal.read(run) if one["kind"] == "reading")
    return "| " + " | ".join([run.name, *cells, f"{steps:.2f}"]) + " |"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that `rerail data prepare` made")
    parser.add_argument("--out", type=Path, default=Path("runs/alignment"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--kinds", nargs="+", choices=["guided", "plain"], default=["guided", "plain"])
    given = parser.parse_args()
    runs = [
        trained(given.data, seed=seed, guided=kind == "guided", steps=given.steps, out=given.out)
        for kind in given.kinds
        for seed in given.seeds
    ]
    names = ("run", *(f"mass >= {mark}, step" for mark in MARKS), "steps", "mass", *LAST, "s a step (median)")
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
    print("\n".join(map(row, runs)))


if __name__ == "__main__":
    main()
