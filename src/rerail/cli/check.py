"""Look through a corpus before training on it: rerail check DIR."""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.audio.mel import MelSpec
from rerail.data import ljspeech
from rerail.data.check import check


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("data", type=str, help="folder in LJSpeech layout (metadata.csv, wavs/)")
    parser.add_argument("--sample-rate", type=int, default=16000, help="expected sampling rate of the recordings, Hz")


def run(arguments: Namespace) -> int:
    """Print what is odd; nothing is changed."""
    clips = ljspeech.read(Path(arguments.data))
    rate = arguments.sample_rate
    warnings, sound = check(clips, MelSpec(sample_rate=rate, f_max=rate / 2))
    sys.stdout.write("\n".join([*warnings, f"{len(clips)} clips, {len(warnings)} warning(s)", ""]))
    return 0 if sound else 2
