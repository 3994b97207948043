"""Speech corpora: rerail data get NAME, rerail data prepare DIR --to OUT, rerail data card DIR."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.data import card, get, prepare

ACTIONS = {"get": get, "prepare": prepare, "card": card}


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subcommands(dest="action")
    for name, module in ACTIONS.items():
        action = ArgumentParser(description=module.__doc__, exit_on_error=False)
        module.fill(action)
        actions.add_subcommand(name, action, help=(module.__doc__ or "").splitlines()[0])


def run(arguments: Namespace) -> int:
    """Get, prepare or describe a corpus."""
    return int(ACTIONS[arguments.action].run(arguments[arguments.action]))
