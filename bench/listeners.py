"""What listening costs: Tacotron2 trained with every listener on and with none, in interleaved rounds of one process.

    python bench/listeners.py [--modes all] [--pairs 200] [--steps 3] [--size small] [--threads 1] [--picture 100]

Each side is a guard of its own over an equal model, trained on the same batches of the demo's real speech. All sides
keep a run folder on disk, with its journal, run.log and checkpoints; `none` has nothing else, and neither has `again`,
which says what noise makes of equal work. A round runs `steps` steps of every side, in an order that turns from round
to round; every `picture` steps, all sides keep a picture. Short rounds and many of them tell most in a given time:
what disturbs a machine mostly lasts for longer than a step, and is then shared by a pair. One thread leaves the other
cores to whoever listens, as training on a GPU does; with as many threads as cores, training and listeners share them.
A side's time ends when its listeners have heard everything, so that no thread leaves its work to the side that comes
next; W&B's own process may.

A ratio is the throughput with listeners over that without, of the same round; its interval is one of order statistics,
for the median. What comes rarely, as a picture does, no median shows: the last column is the time of all rounds without
listeners over that of all rounds with them, and its interval by the rounds drawn anew. The first round warms up and is
thrown away. MODES has what each side listens with.

`well`, `dead`, `slow` and `429` are all of them and a notifier, whose server on loopback answers so
(bench/notified.py). While others train it stands still; what was due meanwhile, and what its side's last round left to
it, it does in the pause before the next one, unmeasured. For that it looks twice as often as a notifier of a run, and
the server that says 429 asks for the shortest patience there is. A round should take a second or more. A critical
message waits from the first round on; at the end the server is well again, and the table says how often it came.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from math import comb
from pathlib import Path
from statistics import median
from typing import Any

import torch
from notified import CRITICAL, Notified
from rich.console import Console as Screen

from rerail.core.artifact import Picture
from rerail.data import demo
from rerail.fit import FitConfig
from rerail.fit.begin import guarded, prepare
from rerail.guard import Guard, Listener
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tell.console import Console
from rerail.tell.mlflow import MLflow
from rerail.tell.tensorboard import TensorBoard
from rerail.tell.wandb import WeightsAndBiases

FENCE = "end of a round"
SURE = 0.95
PAUSE = 0.25  # seconds before every round
LONGEST = 60.0  # seconds that a side may take to hear everything


class Heard:
    """A listener that says when it has heard a round's last record."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.done = threading.Event()

    def __call__(self, record: dict[str, Any]) -> None:
        """Hand it on."""
        self.listener(record)
        if record.get("text") == FENCE:
            self.done.set()

    def close(self) -> None:
        """Hand it on."""
        getattr(self.listener, "close", lambda: None)()


@contextmanager
def pipe() -> Iterator[Console]:
    """Give a console whose lines another process reads."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as reader:  # noqa: S607
        assert reader.stdin is not None
        with Console(screen=Screen(file=reader.stdin)) as console:
            yield console
        reader.stdin.close()


def none(_: Path, __: ExitStack) -> list[Listener]:
    """Nobody listens; run.log is written all the same."""
    return []


def own(run: Path, stack: ExitStack) -> list[Listener]:
    """Console and TensorBoard."""
    return [stack.enter_context(pipe()), TensorBoard(run / "tensorboard", run=run)]


def all_of_them(run: Path, stack: ExitStack) -> list[Listener]:
    """Console, TensorBoard, and W&B, offline."""
    return [*own(run, stack), WeightsAndBiases("bench", run=run)]


def mlflow(run: Path, stack: ExitStack) -> list[Listener]:
    """All of them, and MLflow with a database in a file (pip install sqlalchemy alembic), all within this process."""
    return [*all_of_them(run, stack), MLflow("bench", run=run)]


MODES: dict[str, Callable[[Path, ExitStack], list[Listener]]] = {
    "none": none,
    "again": none,  # what the machine's noise makes of equal work
    "own": own,
    "all": all_of_them,
    "mlflow": mlflow,
}
NOTIFIED = ("well", "dead", "slow", "429")
CHOICES = [name for name in (*MODES, *NOTIFIED) if name != "none"]


class Side:
    """A guard, its listeners, and the seconds of its rounds."""

    def __init__(self, mode: str, folder: Path, stack: ExitStack, given: argparse.Namespace) -> None:
        run = folder / f"run-{mode}"
        self.notified = Notified(run, mode, stack) if mode in NOTIFIED else None
        task = Tacotron2Config(data=str(demo.folder()), cache=str(folder / "features"), size=given.size)
        fit = FitConfig(steps=10**6, batch_size=given.batch, threads=given.threads)
        self.parts = prepare(Tacotron2Task(task, fit), fit)
        self.heard = [Heard(one) for one in MODES.get(mode, all_of_them)(run, stack)]
        self.guard: Guard = guarded(self.parts, fit, run=run, listeners=self.heard)
        self.seconds: list[float] = []
        stack.callback(self.guard.close)
        if self.notified:
            self.guard.note("notify", **CRITICAL)
            self.notified.go(on=False)

    def round(self, batches: Sequence[Any], *, picture: bool) -> None:
        """Train on the batches and time it."""
        for one in self.heard:
            one.done.clear()
        if self.notified:
            self.notified.go(on=True)
        time.sleep(PAUSE)
        drawn = Picture(values=torch.rand(40, 80).tolist(), x="frame", y="symbol", caption="none")
        began = time.perf_counter()
        if picture:
            self.guard.show("alignment", drawn)
        for batch in batches:
            self.guard.step(batch)
        self.guard.note(FENCE)
        for one in self.heard:
            if not one.done.wait(LONGEST):
                raise SystemExit(f"{type(one.listener).__name__} has not heard the round's end in {LONGEST:.0f} s")
        self.seconds.append(time.perf_counter() - began)
        if self.notified:
            self.notified.go(on=False)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return two order statistics that hold the median with at least 95 %, or the extremes, and how surely they do."""
    ranks, n = sorted(values), len(values)
    inside = [1 - 2 * sum(comb(n, below) for below in range(low + 1)) / 2**n for low in range((n + 1) // 2)]
    low = max((rank for rank, sure in enumerate(inside) if sure >= SURE), default=0)
    return ranks[low], ranks[n - 1 - low], inside[low]


def whole(bare: Sequence[float], own: Sequence[float], draws: int = 2000) -> tuple[float, float, float]:
    """Return the throughput over all rounds, and the middle 95 % of what rounds drawn anew (Efron 1979) make of it."""
    pairs, chance = list(zip(bare, own, strict=True)), random.Random(0)  # noqa: S311
    found = sorted(
        sum(one for one, _ in drawn) / sum(other for _, other in drawn)
        for drawn in (chance.choices(pairs, k=len(pairs)) for _ in range(draws))
    )
    return sum(bare) / sum(own), found[round(0.025 * draws)], found[round(0.975 * draws) - 1]


def measured(given: argparse.Namespace) -> dict[str, tuple[list[float], str]]:
    """Return the seconds of every round of every side, and how often its critical message came."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.environ |= {"WANDB_MODE": "offline", "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.chdir(folder)  # MLflow keeps files beside such a database
        sides = {name: Side(name, Path(folder), stack, given) for name in ("none", *given.modes)}
        batches = iter(sides["none"].parts.data)
        for number in range(given.pairs + 1):
            some = list(islice(batches, given.steps))
            turn = number % len(sides)
            for name in [*list(sides)[turn:], *list(sides)[:turn]]:
                sides[name].round(some, picture=number * given.steps % given.picture < given.steps)
        came = {name: side.notified.lost() for name, side in sides.items() if side.notified}
        return {name: (side.seconds[1:], came.get(name, "")) for name, side in sides.items()}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--modes", nargs="+", default=["all"], choices=CHOICES)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=3, help="steps a side of a round")
    parser.add_argument("--size", default="small", choices=["tiny", "small", "reference"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picture", type=int, default=100, help="steps between two pictures")
    given = parser.parse_args()
    found = measured(given)
    print(f"Tacotron2 {given.size}, batches of {given.batch}, {given.pairs} pairs of {given.steps} steps,")
    print(f"{given.threads} threads, torch {torch.__version__}, {platform.system()} {platform.machine()};")
    bare = found["none"][0]
    print(f"an interval holds the median with {interval(bare)[2]:.1%}\n")
    print("| listeners | ms a step (median) | throughput over none (median) | of all rounds | critical message came |")
    print("|---|---|---|---|---|")
    for name, (own, came) in found.items():
        told = f"1 | 1 | {came}"
        if name != "none":
            ratios = [one / other for one, other in zip(bare, own, strict=True)]
            low, high, _ = interval(ratios)
            mean, least, most = whole(bare, own)
            told = f"{median(ratios):.3f} ({low:.3f} to {high:.3f}) | {mean:.3f} ({least:.3f} to {most:.3f}) | {came}"
        print(f"| {name} | {1000 * median(own) / given.steps:.1f} | {told} |")


if __name__ == "__main__":
    main()
