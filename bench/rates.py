"""A Tacotron2 on 30 clips at learning rates from too small to absurd, under the guard: does any end badly?

    python bench/rates.py [--rates 1e-5 1e-4 1e-3 1e-2 1e-1] [--steps 300] [--out runs/rates]

Trains on 30 of the embedded clips and prints for each rate how the run ended, what was done to it, whether every weight
is finite, and the held-out loss, beside that of the same run without the guard.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path

import torch

from rerail.data import demo, ljspeech
from rerail.fit import FitConfig, Parts, guarded, prepare, train_unguarded
from rerail.seam import Derailed
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tell import journal

CLIPS, HELD_OUT = 30, 6


def corpus(folder: Path) -> Path:
    """Write a table of 30 of the embedded clips beside links to their recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "wavs").exists():
        (folder / "wavs").symlink_to(demo.folder() / "wavs")
        ljspeech.write(folder / "metadata.csv", ljspeech.read(demo.folder())[: CLIPS + HELD_OUT])
    return folder


def task_at(rate: float, steps: int, out: Path) -> tuple[Tacotron2Task, FitConfig]:
    """Return the trainer at one rate."""
    fit = FitConfig(steps=steps, batch_size=10, lr=rate, evaluate_every=10**6, snapshot_every=10)
    config = Tacotron2Config(data=str(corpus(out / "clips")), cache=str(out / "features"), held_out=HELD_OUT)
    return Tacotron2Task(config, fit), fit


def held_out(task: Tacotron2Task, parts: Parts) -> dict[str, float]:
    """Return the teacher-forced mel error and the free-running diagonality on the clips set aside."""
    found = task.evaluate(parts.model, parts.held_out)
    return {name: found[name] for name in ("mel", "diagonality/free")}


def finite(parts: Parts) -> bool:
    """Say whether every weight is a finite number."""
    return all(bool(torch.isfinite(one).all()) for one in parts.model.parameters())


def row(rate: float, steps: int, out: Path) -> str:
    """Train at one rate with and without the guard; return a line of the table."""
    task, fit = task_at(rate, steps, out)
    parts, run = prepare(task, fit), out / f"{rate:g}"
    guard, ended = guarded(parts, fit, run=run), "finished"
    try:
        for batch in parts.data:
            if guard.steps >= steps:
                break
            guard.step(batch)
    except Derailed:
        ended = "halted"
    guard.close(ended)
    done = Counter(one["did"]["move"] for one in journal.read(run) if one["kind"] == "outcome" and "did" in one)
    causes = Counter(one["cause"] for one in journal.read(run) if one["kind"] == "cause")
    found = held_out(task, parts)
    bare = prepare(task, fit)
    losses = list(train_unguarded(_Given(bare), fit))
    alone = held_out(task, bare) if finite(bare) else {"mel": math.nan}
    cells = [
        f"{rate:g}",
        f"{ended} at {guard.steps}",
        ", ".join(f"{count} {name.lower()}" for name, count in done.items()) or "nothing",
        ", ".join(f"{count} {name}" for name, count in causes.items()) or "none",
        "yes" if finite(parts) else "NO",
        f"{found['mel']:.3f}",
        f"{found['diagonality/free']:.3f}",
        f"{alone['mel']:.3f}" if math.isfinite(losses[-1]) else "not finite",
    ]
    return "| " + " | ".join(cells) + " |"


class _Given:
    """A task whose parts are made already."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def build(self) -> Parts:
        """Return them."""
        return self.parts


def main() -> None:
    """Print a table, a line a rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("runs/rates"))
    given = parser.parse_args()
    names = ("rate", "ended", "done to it", "causes", "weights finite", "mel error", "diagonality", "mel unguarded")
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")
    for rate in given.rates:
        print(row(rate, given.steps, given.out), flush=True)


if __name__ == "__main__":
    main()
