"""Supervise a run: python -m rerail.supervise RUN. `rerail train ... --notify` starts this."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from rerail.supervise.supervisor import Pace
from rerail.supervise.watch import watch
from rerail.tell import secrets

NICE = 10


def main(argv: list[str] | None = None) -> int:
    """Supervise; return the exit code."""
    parser = ArgumentParser(prog="python -m rerail.supervise", description=__doc__)
    usual = Pace()
    parser.add_argument("run", type=Path)
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--name", default="")
    parser.add_argument("--starter", type=int, default=0)
    parser.add_argument("--look", type=float, default=usual.look)
    parser.add_argument("--stay", type=float, default=usual.stay)
    parser.add_argument("--give-up", type=float, default=usual.give_up)
    given = parser.parse_args(argv)
    secrets.cover_tracebacks()
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICE)
    os.chdir(given.run)  # whoever renames the folder (--reset-training does) takes this along
    pace = Pace(look=given.look, stay=given.stay, give_up=given.give_up)
    try:
        watch(Path(), given.config, name=given.name, starter=given.starter, pace=pace)
    except (ValueError, ModuleNotFoundError) as error:
        sys.stderr.write(f"notify: {secrets.redacted(str(error))}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
