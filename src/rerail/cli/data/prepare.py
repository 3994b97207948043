"""Clean a corpus for training: rerail data prepare DIR --to OUT.

DIR is a corpus in a known layout (LJSpeech, VCTK, Common Voice, Piper, F5, festvox, Asterisk, CMU Sphinx, Tux Paint) or
a list of path|text lines.
Left out are clips without a recording or a text, unreadable ones, those of another sampling rate (unless --resample),
silent, clipped, too short or too long ones, samples that are not finite, recordings that are there twice, and texts
whose length does not fit the recording. Each is named with its reason in OUT/left-out.tsv. Silence at the ends is cut.
OUT is in LJSpeech layout, with train.csv, validation.csv and test.csv that share no text, and with its card in card.md.
DIR is not changed; OUT must be new.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import add_config, configs
from rerail.cli.data.bars import bars
from rerail.data.prepare import PrepareConfig, prepare
from rerail.tell import printed


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("data", type=str, help="folder of the corpus, or a list of path|text lines")
    parser.add_argument("--to", type=str, required=True, help="folder for the prepared corpus; it must be new")
    add_config(parser, (PrepareConfig,))


def run(arguments: Namespace) -> int:
    """Prepare it; print its card."""
    (config,) = configs(arguments, (PrepareConfig,))
    with bars() as progress:
        card = prepare(Path(arguments.data), Path(arguments.to), config, progress)
    printed.text("\n".join([*card.lines(), "", f"prepared in {arguments.to}; what was left out: left-out.tsv there"]))
    return 0
