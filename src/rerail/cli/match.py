"""Say how well pictures and recordings belong together: rerail match RUN --image X [Y ...] --audio A [B ...].

RUN is the folder of a face-voice run, of which the newest sound checkpoint is taken, or a checkpoints/step-* folder. A
line a pair tells the cosine of the two embeddings (1: the same direction) and, where the pairs that the run has set
aside are still here, where that cosine stands: the share of strangers, and of pairs that do belong together, that are
farther apart. A cosine by itself says little: in some networks strangers have 0.5.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.tasks.face_voice.standing import Standing, standing
from rerail.tasks.face_voice.trained import TrainedMatcher, load
from rerail.tell import printed

HEADINGS = ("picture", "recording", "cosine", "nearer than strangers", "nearer than own pairs")


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("place", type=str, help="folder of a run, or a checkpoints/step-* folder")
    parser.add_argument("--image", type=str, nargs="+", required=True, help="pictures")
    parser.add_argument("--audio", type=str, nargs="+", required=True, help="recordings")


def run(arguments: Namespace) -> int:
    """Print a line a pair."""
    trained = load(Path(arguments.place))
    pictures = {one: trained.picture(Path(one)) for one in arguments.image}
    voices = {one: trained.voice(Path(one)) for one in arguments.audio}
    printed.text(trained.told())
    known = _standing(trained)
    pairs = [(image, audio, float(pictures[image] @ voices[audio])) for image in pictures for audio in voices]
    printed.table(HEADINGS, [(image, audio, f"{cosine:.3f}", *_told(known, cosine)) for image, audio, cosine in pairs])
    return 0


def _standing(trained: TrainedMatcher) -> Standing | None:
    try:
        return standing(trained)
    except ValueError as error:
        printed.text(f"the run's pairs cannot be compared with: {error}")
        return None


def _told(known: Standing | None, cosine: float) -> tuple[str, str]:
    if known is None:
        return "", ""
    return f"{known.nearer_than_strangers(cosine):.1%}", f"{known.nearer_than_own(cosine):.1%}"
