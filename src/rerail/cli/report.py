"""Write the report of a run anew: rerail report runs/NAME."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.tell import report


def parser() -> ArgumentParser:
    """Return the parser of this command."""
    made = ArgumentParser(description=__doc__, exit_on_error=False)
    made.add_argument("run", type=str, help="folder of the run")
    return made


def run(arguments: Namespace) -> int:
    """Write the report."""
    sys.stdout.write(f"{report.write(Path(arguments.run))}\n")
    return 0
