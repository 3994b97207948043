"""Embed a folder of pictures and recordings, to be searched: rerail index RUN FOLDER --out faces.npz.

RUN is the folder of a face-voice run, or a checkpoints/step-* folder. All pictures and recordings below FOLDER are
embedded once; what cannot be used is named and left out. `rerail search` takes the file.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import new_file, shortened
from rerail.cli.data.bars import bars
from rerail.tasks.face_voice.index import build
from rerail.tasks.face_voice.trained import load
from rerail.tell import printed


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("place", type=str, help="folder of a run, or a checkpoints/step-* folder")
    parser.add_argument("folder", type=str, help="folder of pictures, recordings, or both")
    parser.add_argument("--out", type=str, default="index.npz", help="file for the embeddings; it must be new")


def run(arguments: Namespace) -> int:
    """Write the index."""
    out = new_file(arguments.out)
    trained = load(Path(arguments.place))
    with bars() as progress:
        index, odd = build(trained, Path(arguments.folder), partial(progress, "embedding"))
    index.save(out)
    for line in shortened(odd):
        printed.text(f"left out: {line}")
    printed.text(f"{len(index.files)} files in {out}; rerail search {out} --image X, or --audio X")
    return 0
