"""Tell what the guard did and why: rerail explain RUN [--tick N].

Everything comes from the run's journal: what was seen, what each replay changed and gave, the cause that this proves,
what was done, what came of it, and how it is mended. Without --tick all interventions are listed, and the last one is
told.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.tell import explain, journal, printed, story


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("run", type=str, help="folder of the run")
    parser.add_argument("--tick", type=int, default=None, help="tell the intervention of this tick")


def run(arguments: Namespace) -> int:
    """Print the story."""
    told = story.gather(journal.read(Path(arguments.run)), name=arguments.run)
    printed.text(explain.explain(told, arguments.tick))
    return 0
