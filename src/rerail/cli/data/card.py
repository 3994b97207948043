"""Describe a corpus in figures: rerail data card DIR.

Clips, minutes, speakers, languages, lengths, sampling rate, level and silence, speaking rate, symbols with counts,
licence where it is known. Lengths and levels are those of what trimming leaves. Nothing is changed.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.data.bars import bars
from rerail.data.card import card
from rerail.tell import printed


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("data", type=str, help="folder of the corpus, or a list of path|text lines")
    parser.add_argument("--layout", type=str, default="", help="layout (default: the one that it looks like)")


def run(arguments: Namespace) -> int:
    """Print its card."""
    with bars() as progress:
        found = card(Path(arguments.data), lambda done, total: progress("recordings", done, total), arguments.layout)
    printed.text("\n".join(found.lines()))
    return 0
