"""Write a trained face-voice network for other programs: rerail export RUN --out DIR.

RUN is the folder of a run, or a checkpoints/step-* folder. DIR gets picture.onnx and voice.onnx, each from a batch of
any size to embeddings of length 1, and export.json, which says what they take. Each is held against torch on the same
input. It needs pip install "rerail[onnx]".
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.tasks.face_voice.export import export
from rerail.tasks.face_voice.trained import load
from rerail.tell import printed

HEADINGS = ("file", "takes (batch, ...)", "shape", "farthest from torch")


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("place", type=str, help="folder of a run, or a checkpoints/step-* folder")
    parser.add_argument("--out", type=str, default="exported", help="folder for the files; it must be new")


def run(arguments: Namespace) -> int:
    """Export both towers."""
    trained = load(Path(arguments.place))
    printed.text(trained.told())
    done = export(trained, Path(arguments.out))
    rows = [(one.file, one.takes, " x ".join(map(str, one.shape)), f"{one.difference:.1e}") for one in done]
    printed.table(HEADINGS, rows)
    return 0
