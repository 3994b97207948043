"""Train a small Tacotron2 on real speech through three real faults: rerail demo [--unguarded]."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import refuse
from rerail.cli.running import run_under_eyes
from rerail.fit import train_unguarded, untaken
from rerail.tasks.tacotron2.demo import demo_task, summary, told


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--run", type=str, default="runs/demo", help="folder of the run (numbered if it is taken)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same run")
    parser.add_argument("--steps", type=int, default=None, help="optimizer steps (default: enough to end aligned)")
    parser.add_argument("--unguarded", action="store_true", help="train the same run without the guard, and see it die")


def run(arguments: Namespace) -> int:
    """Run the demo."""
    folder = untaken(Path(arguments.run))
    task, fit = demo_task(folder / "data", seed=arguments.seed, steps=arguments.steps)
    refuse((fit,))
    if arguments.unguarded:
        for line in told(train_unguarded(task, fit)):
            sys.stdout.write(line)
            sys.stdout.flush()
        return 0
    watched = run_under_eyes(task, fit, folder, describe=asdict(task.inner.config))
    sys.stdout.write(summary(watched.result.metrics))
    return watched.code
