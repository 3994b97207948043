"""Write the report of a run anew: rerail report runs/NAME."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.tell import report


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("run", type=str, help="folder of the run")


def run(arguments: Namespace) -> int:
    """Write the report."""
    sys.stdout.write(f"{report.write(Path(arguments.run))}\n")
    return 0
