"""Put a run that has gone bad back on the rails: rerail recover tacotron2 [--run RUN | --checkpoint PATH].

Says what is wrong with every checkpoint (damaged files, numbers that are not finite, weights and optimizer states
beyond all proportion, a held-out loss or an alignment that was better before), and what the run's journal tells last.
Then goes on from the newest healthy state; where there is none, what is finite is salvaged. Settings are tried on a
fork of the run, from its own to the ultra-safe preset, and the mildest that pass are taken. Says beforehand what will
change and when the next stage should come. Trains on in a new folder; the old run stays as it is.

Exit code 3 where no settings pass, or where the new run is halted.
"""

from __future__ import annotations

import sys

from jsonargparse import ArgumentParser, Namespace

from rerail.cli import notifying
from rerail.cli.running import run_under_eyes
from rerail.tasks.tacotron2.recovery.asked import Asked
from rerail.tasks.tacotron2.recovery.ladder import TRIAL
from rerail.tasks.tacotron2.recovery.recover import decide, prepared

HALTED = 3


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    tacotron2 = ArgumentParser(description=__doc__, exit_on_error=False)
    tacotron2.add_argument("--run", type=str, default="", help="folder of the run (default: the newest under runs/)")
    tacotron2.add_argument(
        "--checkpoint", type=str, default="", help="this checkpoint (a step-* folder), and those before it"
    )
    tacotron2.add_argument("--data", type=str, default="", help="folder of the data (default: the run's own)")
    tacotron2.add_argument("--notify", **notifying.FLAG)
    tacotron2.add_argument("--dry-run", action="store_true", help="say what is wrong and what would change, and stop")
    tacotron2.add_argument("--steps", type=int, default=0, help="train to this step (default: as far as the run asked)")
    tacotron2.add_argument("--trial", type=int, default=TRIAL, help="steps of each trial")
    tacotron2.add_argument("--out", type=str, default="", help="folder of the new run (default: RUN-recovered)")
    trainers.add_subcommand("tacotron2", tacotron2, help="a run of rerail train tacotron2")


def run(arguments: Namespace) -> int:
    """Recover."""
    given = arguments[arguments.task]
    tell = notifying.told(given.notify, must=False)  # the note in the journal is worth having by itself
    named = {name: given[name] for name in Asked.__slots__}
    asked = Asked(**{**named, "notify": given.notify is not None})
    recovery = decide(asked, say)
    if recovery.chosen is None:
        return HALTED
    if given.dry_run:
        return 0
    restart = prepared(recovery, asked)
    return run_under_eyes(
        restart.task,
        restart.fit,
        restart.run,
        resume=restart.start,
        describe=restart.describe,
        notes=restart.notes,
        tell=tell,
    ).code


def say(line: str) -> None:
    """Print a line as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
