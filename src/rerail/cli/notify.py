"""Tell people of runs: rerail notify init|test|run; rerail train ... --notify tells of a run from its beginning.

`init FILE` writes settings with comments. `test` sends one message to each service, and says what came of it. `run RUN`
follows a run that something else trains, such as a loop of your own around rerail.Guard, until it ends.

Exit code 1 where a message of `test` was not delivered.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.supervise import config, watch
from rerail.supervise.trying import attempts
from rerail.tell import printed

ACTIONS = {
    "test": "Send one message to each service; say what came of it.",
    "run": "Follow a run and tell people of it, until it ends.",
    "init": "Write a file of settings with comments.",
}
CONFIG = "file of settings (default: notify.yaml here, ~/.config/rerail/notify.yaml, else the environment alone)"


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subcommands(dest="action")
    for name, about in ACTIONS.items():
        action = ArgumentParser(description=about, exit_on_error=False)
        if name == "init":
            action.add_argument("file", type=str, help="the file to write; it must be new")
        if name == "run":
            action.add_argument("run", type=str, help="folder of the run")
        if name != "init":
            action.add_argument("--config", type=str, default="", help=CONFIG)
        actions.add_subcommand(name, action, help=about)


def run(arguments: Namespace) -> int:
    """Write settings, try them, or follow a run."""
    given = arguments[arguments.action]
    if arguments.action == "init":
        return _init(Path(given.file))
    found = config.find(given.config)
    if arguments.action == "run":
        return _follow(Path(given.run), found)
    failed = 0
    for name, why in attempts(config.load(found)):
        printed.text(f"{name}: {f'not delivered: {why}' if why else 'delivered'}")
        failed += bool(why)
    return min(failed, 1)


def _init(file: Path) -> int:
    if file.exists():
        raise ValueError(f"{file} is there already, and is left as it is; give another name")
    if not file.parent.is_dir():
        raise ValueError(f"there is no folder {file.parent}; make it, or give another place")
    file.write_text(config.sample(), encoding="utf8")
    printed.text(f"{file} is written: say in it who is told, then try it: rerail notify test --config {file}")
    return 0


def _follow(folder: Path, found: Path | None) -> int:
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give that of a run (runs/NAME); its journal may still be to come")
    watch(folder, found)
    return 0
