"""Train a model under the guard: rerail train tacotron2|xtts --data DIR --run runs/NAME."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from rerail.act.disk import set_aside
from rerail.cli import notifying, outlets
from rerail.cli.arguments import (
    FROM_FLAG,
    RUN_FLAGS,
    add_config,
    configs,
    refuse_changed,
    refuse_cut_short,
    shortened,
)
from rerail.cli.data.bars import bars
from rerail.cli.running import run_under_eyes
from rerail.cli.trainers import TRAINERS, Trainer, trained
from rerail.fit import FitConfig, chosen, oddities, untaken, with_largest_batch
from rerail.guard import claim
from rerail.tell import printed

SPEAK = """sentences to synthesise at the end, as a list: '["Hello there.", "Good bye."]'"""
RESET = "begin anew; a run that is there is kept beside it, under another name"
NO_CHECK = "do not look through the data of a new run first"


def flags(trainer: Trainer) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Return the flags of a trainer beside its settings: their spellings, and what the parser is told of each."""
    known = f"settings to start from: {', '.join(trainer.presets.names)}"
    own: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (
            RUN_FLAGS,
            {"type": str, "default": f"runs/{trainer.name}", "help": "folder of the run; it must be new"},
        ),
        (("--resume",), {"action": "store_true", "help": "go on where this run was left, with its own settings"}),
        ((FROM_FLAG,), {"type": str, "default": "", "help": "go on from this checkpoint (a step-* folder)"}),
        (("--reset-training",), {"action": "store_true", "help": RESET}),
        (("--no-check",), {"action": "store_true", "help": NO_CHECK}),
        (("--notify",), notifying.FLAG),
        *outlets.flags(),
        ((trainer.presets.flag,), {"type": str, "default": trainer.default, "help": known}),
    ]
    if trainer.speaks:
        own.append((("--speak",), {"type": list[str], "default": [], "help": SPEAK}))
    if trainer.above is not None:
        own.append(((trainer.above.flag,), {"action": "store_true", "help": f"put those of {trainer.switch} above"}))
    return own


def refuse_cut_short_flags(arguments: Sequence[str]) -> None:
    """Refuse flags of this command that are not written in full."""
    if trainer := trained(arguments):
        own = [name for names, _ in flags(trainer) for name in names]
        refuse_cut_short(arguments, (trainer.config, FitConfig), own)


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    for one in TRAINERS.values():
        own = ArgumentParser(description=one.about, exit_on_error=False)
        for names, told in flags(one):
            own.add_argument(*names, **told)
        add_config(own, (one.config, FitConfig))
        trainers.add_subcommand(one.name, own, help=one.short)


def run(arguments: Namespace) -> int:
    """Train."""
    given, trainer = arguments[arguments.task], TRAINERS[arguments.task]
    config, fit = configs(given, (trainer.config, FitConfig))
    tell = notifying.told(given.notify)
    folder, speak = Path(given.run), tuple(given.speak if trainer.speaks else ())
    if given.reset_training and (given.resume or given.resume_from):
        raise ValueError("--reset-training begins anew, --resume goes on; give one of the two")
    refuse_changed(folder, (config, fit), resume=given.resume, resume_from=given.resume_from)
    resume = Path(given.resume_from) if given.resume_from else given.resume
    if not given.reset_training:
        claim(folder, resume=resume is not False)  # before an hour of computing spectrograms
    outlets.refuse_missing(given)
    task = trainer.task(config, fit, speak)
    with bars() as progress:
        odd = task.odd(progress) if resume is False and not given.no_check else []
        task.compute(progress)
    for line in shortened(odd, "more, in the run's journal"):
        printed.text(f"data: {line}")
    task = task.fitted()
    if fit.find_batch and resume is False and chosen(fit.device).type != "cpu":
        task = with_largest_batch(task)
    for line in oddities(fit, task.fit, getattr(config, "epochs", 0), compares=trainer.compares):
        printed.text(line)
    if given.reset_training and folder.exists():
        kept = set_aside(folder, untaken(folder.with_name(f"{folder.name}-before")))
        printed.text(f"the run that was in {folder} is now in {kept}")
    notes = {f"{len(odd)} oddities of the data": {"odd": odd}} if odd else {}
    return run_under_eyes(
        task,
        task.fit,
        folder,
        resume=resume,
        describe=asdict(config),
        notes=notes,
        listeners=outlets.listeners(given, folder),
        tell=tell,
    ).code
