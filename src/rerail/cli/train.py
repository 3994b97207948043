"""Train a model under the guard: rerail train tacotron2 --data DIR --run runs/NAME."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import add_config, configs, refuse_changed
from rerail.cli.data.bars import bars
from rerail.cli.running import run_under_eyes
from rerail.fit import FitConfig
from rerail.guard import claim
from rerail.tasks.tacotron2 import presets
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

SPEAK = """sentences to synthesise at the end, as a list: '["Hello there.", "Good bye."]'"""


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    tacotron2 = ArgumentParser(description="Train a Tacotron2 on clips with transcripts.", exit_on_error=False)
    tacotron2.add_argument("--run", type=str, default="runs/tacotron2", help="folder of the run; it must be new")
    tacotron2.add_argument("--resume", action="store_true", help="go on where this run was left, with its own settings")
    tacotron2.add_argument("--resume-from", type=str, default="", help="go on from this checkpoint (a step-* folder)")
    tacotron2.add_argument("--preset", type=str, default="", help=f"settings by name: {', '.join(presets.NAMES)}")
    tacotron2.add_argument("--speak", type=list[str], default=[], help=SPEAK)
    add_config(tacotron2, (Tacotron2Config, FitConfig))
    trainers.add_subcommand("tacotron2", tacotron2, help="text to spectrogram, with attention and a stop gate")


def run(arguments: Namespace) -> int:
    """Train."""
    given = arguments[arguments.task]
    config, fit = configs(given, (Tacotron2Config, FitConfig))
    refuse_changed(Path(given.run), (config, fit), resume=given.resume, resume_from=given.resume_from)
    resume = Path(given.resume_from) if given.resume_from else given.resume
    task = Tacotron2Task(config, fit, tuple(given.speak))
    claim(Path(given.run), resume=resume is not False)  # before an hour of computing spectrograms
    with bars() as progress:
        task.compute(lambda done, total: progress("spectrograms", done, total))
    return run_under_eyes(task, fit, Path(given.run), resume=resume, describe=asdict(config)).code
