"""Look for what is wrong before training, in a minute: rerail doctor [--task tacotron2 --data DIR].

Without --task: the machine alone (versions, threads, accelerator, disk of the run's folder, clock, limits, extras).
With --task: also the trainer, built as it would train, on its first batch. Its settings are those of `rerail train`;
without --data it trains on the demo's embedded clips.

Checked are the batch; whether optimizer and gradients reach every parameter; whether the same step gives the same
numbers; the loss at the start; gradient flow by depth; room in half precision; eval mode; whether rows mix; a
checkpoint round trip; whether one batch can be learnt by heart; and which learning rates the run bears. Nothing is
written but temporary files and the spectrogram cache.

A line that failed says what to do. Exit code 1 where a check fails, else 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import add_config, configs
from rerail.cli.examining import examined, tacotron2
from rerail.doctor.disk import disk
from rerail.doctor.machine import machine
from rerail.doctor.shown import ending, show
from rerail.fit import FitConfig
from rerail.tasks.tacotron2.settings import Tacotron2Config


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("--task", type=Literal["tacotron2", ""], default="", help="trainer to examine on a real batch")
    parser.add_argument("--run", type=str, default="runs", help="folder that runs will be written to; it may be new")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="time for the checks of a trainer; less means fewer steps"
    )
    add_config(parser, (Tacotron2Config, FitConfig))


def run(arguments: Namespace) -> int:
    """Print a line a check."""
    config, fit = configs(arguments, (Tacotron2Config, FitConfig))
    checks = (*machine(), *disk(Path(arguments.run)))
    show("machine", checks)
    if arguments.task:
        with tacotron2(config, fit) as task:
            found = examined(task, fit, seconds=arguments.seconds, draws_in_eval=True)  # its prenet's dropout stays on
        show(f"{arguments.task}, one batch", found)
        checks = (*checks, *found)
    return ending(checks)
