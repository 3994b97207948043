"""Watch a run that trains elsewhere: rerail watch runs/first. Of a folder with runs: a table of all.

It only reads the journal: Ctrl-C ends the watching, never the run. It ends with the run, with the run's exit code. In a
pipe it writes plain lines: where the run stands, then each event, and figures every so many steps.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace
from rich.console import Console as Screen

from rerail.cli.running import CODES
from rerail.tell import journal, printed
from rerail.tell.live.watch import Watcher, all_runs


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("run", type=str, help="folder of the run, or a folder with runs")
    parser.add_argument("--once", action="store_true", help="say where it stands, and end")
    parser.add_argument("--every", type=int, default=20, help="in a pipe: a line of figures every so many steps")


def run(arguments: Namespace) -> int:
    """Watch."""
    folder, screen = Path(arguments.run), Screen()
    try:
        if not (folder / journal.NAME).exists():
            all_runs(folder, screen, once=arguments.once)
            return 0
        watcher = Watcher(folder, screen)
        if arguments.once:
            watcher.once()
            return 0
        state = watcher.until_it_ends(arguments.every)
    except KeyboardInterrupt:
        printed.text("no longer watching; the run is not touched", screen)
        return 0
    return CODES.get(state.ended, 1)
