"""Write what a run's journal holds as a table: rerail table RUN --out readings.csv [--signals 'loss/*,eval/*'].

The ending says how: .csv, or .parquet (pip install "rerail[parquet]"). Readings are a row a tick and a column a signal,
bit for bit as they were read. --what interventions, trials or events gives these, a row each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import new_file
from rerail.cli.data.bars import bars
from rerail.tell import printed, table

What = Literal["readings", "interventions", "trials", "events"]
SIGNALS = "signals to take, as names or patterns with commas between them (default: all)"


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("place", type=str, help="folder of the run")
    parser.add_argument("--out", type=str, default="readings.csv", help="file to write; it must be new")
    parser.add_argument("--what", type=What, default="readings", help="what is to be a row")
    parser.add_argument("--signals", type=str, default="", help=SIGNALS)


def run(arguments: Namespace) -> int:
    """Write the table."""
    out = new_file(arguments.out)
    signals = [one.strip() for one in arguments.signals.split(",") if one.strip()]
    with bars() as progress:
        rows = table.write(Path(arguments.place), out, what=arguments.what, signals=signals, progress=progress)
    printed.text(f"{rows} rows in {out}")
    return 0
