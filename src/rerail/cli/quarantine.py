"""Samples that a run keeps out of training: rerail quarantine list RUN, rerail quarantine release RUN ID [ID ...].

A sample is put in quarantine where a replay has shown that the step fails with it in every state of the model. The
list is RUN/quarantine.jsonl. A run that is training reads it when it starts, so a released sample is trained on again
after the next --resume.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.act.quarantine import NAME, Quarantine
from rerail.tell import printed
from rerail.tell.journal import RELEASED, add_note, run_folder


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subcommands(dest="action")
    for name, told in (("list", LIST), ("release", RELEASE)):
        action = ArgumentParser(description=told, exit_on_error=False)
        action.add_argument("run", type=str, help="folder of the run")
        if name == "release":
            action.add_argument("ids", type=str, nargs="+", help="ids of the samples, as `list` prints them")
        actions.add_subcommand(name, action, help=told)


LIST = "List the samples in quarantine: id, tick, reason. In a pipe: a line each, with tabs between."
RELEASE = "Let samples in again. Where one id is unknown, all known ones are named and nothing is changed."


def run(arguments: Namespace) -> int:
    """List or release."""
    given = arguments[arguments.action]
    folder = run_folder(Path(given.run))
    quarantine = Quarantine(folder / NAME)
    if arguments.action == "release":
        quarantine.release(given.ids)
        add_note(folder, RELEASED, {"ids": given.ids})
        printed.text(f"released {', '.join(given.ids)}; {len(quarantine.ids)} left in quarantine")
    elif quarantine.kept:
        printed.table(("Sample", "Tick", "Reason"), [(one.id, one.tick, one.reason) for one in quarantine.kept])
    else:
        printed.text("no sample is in quarantine")
    return 0
