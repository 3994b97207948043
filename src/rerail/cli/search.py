"""Find what is nearest to a picture or a voice: rerail search faces.npz --audio X [--top 10] [--among pictures].

The file is one of `rerail index`. A voice is looked for among pictures and a picture among voices, unless --among says
otherwise. The network that made the index embeds the query; --run names it where it has moved.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from rerail.tasks.face_voice.extract import fingerprint
from rerail.tasks.face_voice.index import PICTURE, VOICE, Index
from rerail.tasks.face_voice.trained import load
from rerail.tell import printed

KINDS = {"pictures": PICTURE, "voices": VOICE}
HEADINGS = ("", "cosine", "file")


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("index", type=str, help="file of rerail index")
    parser.add_argument("--image", type=str, default="", help="picture to look for")
    parser.add_argument("--audio", type=str, default="", help="recording to look for")
    parser.add_argument("--top", type=int, default=10, help="how many to show")
    parser.add_argument("--among", type=Literal["", "pictures", "voices"], default="", help="what to look through")
    parser.add_argument("--run", type=str, default="", help="run or checkpoint that made the index")


def run(arguments: Namespace) -> int:
    """Print the nearest files."""
    if bool(arguments.image) == bool(arguments.audio):
        raise ValueError("--image, --audio: give one of the two")
    if arguments.top < 1:
        raise ValueError(f"--top: got {arguments.top}; give at least 1")
    index = Index.load(Path(arguments.index))
    made = Path(index.checkpoint)
    if not arguments.run and not made.exists():
        raise ValueError(
            f"{made}: the checkpoint that made {arguments.index} is gone; index again, or give a copy by --run"
        )
    trained = load(Path(arguments.run or made))
    if fingerprint(trained.model) != index.weights:
        raise ValueError(
            f"{trained.source}: its weights are not those that made {arguments.index} ({made.name}), so that cosines "
            "would say nothing; index again"
        )
    query = trained.picture(Path(arguments.image)) if arguments.image else trained.voice(Path(arguments.audio))
    kind = KINDS[arguments.among] if arguments.among else (VOICE if arguments.image else PICTURE)
    found = index.nearest(query, kind, arguments.top)
    if not found:
        raise ValueError(f"{arguments.index}: holds no {kind}; give --among")
    printed.table(HEADINGS, [(place, f"{cosine:.3f}", file) for place, (file, cosine) in enumerate(found, 1)])
    return 0
