"""Write the report of a run as one HTML file: rerail report RUN [--out FILE].

The page stands alone: it holds its charts, pictures and sounds, opens without a network, and can be mailed as it is. It
is computed from the run's journal, so that it can be written at any time, also while the run trains. Without --out it
is report.html in the folder of the run. An older page is replaced at once or not at all.

It says in three sentences how the run went, then shows losses with every intervention as a numbered line, causes with
the trials that prove them, quarantined samples, gradients and updates, held-out metrics, knobs, pictures over time (a
slider), audio, configuration and environment. `rerail explain RUN` tells the interventions in the terminal.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import taken
from rerail.tell import printed, report


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("run", type=str, help="folder of the run")
    parser.add_argument("--out", type=str, default="", help="file to write (default: report.html in the run's folder)")


def run(arguments: Namespace) -> int:
    """Write the report."""
    if wrong := taken(arguments.out, "--out", force=True):
        raise ValueError(wrong)
    try:
        written = report.write(Path(arguments.run), arguments.out or None)
    except OSError as error:
        told = f"the report of {arguments.run} cannot be written: {error}; give --out a place that takes files"
        raise ValueError(told) from None
    printed.text(str(written))
    return 0
