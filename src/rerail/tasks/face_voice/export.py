"""A trained network for other programs: each tower as an ONNX file, held against torch on the same input."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from rerail.core.extras import need
from rerail.data.draft import draft
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.model import Tower
from rerail.tasks.face_voice.trained import TrainedMatcher

EXTRA, LIBRARIES = "onnx", ("onnx", "onnxscript", "onnxruntime")
FAR = 1e-4  # of a coordinate of an embedding of length 1
ABOUT = "export.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One tower: its file, what it takes, and how far its embeddings are from torch's at most."""

    file: str
    takes: str
    shape: tuple[int, ...]
    difference: float


def export(trained: TrainedMatcher, folder: Path) -> list[Exported]:
    """Write `picture.onnx`, `voice.onnx` and `export.json` into a new folder, all or none; a batch may have any size.

    Raises:
        ModuleNotFoundError: naming the command that installs what this needs.
        ValueError: where the folder is taken, or an exported tower gives other embeddings than torch.
    """
    for library in LIBRARIES:
        need(library, extra=EXTRA)
    with draft(folder) as made:
        return _all(trained, made)


def _all(trained: TrainedMatcher, folder: Path) -> list[Exported]:
    config, found = trained.config, trained.paired.extractors
    picture = "RGB in [0, 1], padded with white to a square, then scaled"
    voice = f"mono, {config.sample_rate} Hz, in [-1, 1], the middle of a recording, repeated where it is short"
    side = config.image_size
    done = [
        _exported(trained.model.pictures, found.pictures, folder / "picture.onnx", picture, (3, side, side)),
        _exported(trained.model.voices, found.voices, folder / "voice.onnx", voice, (trained.paired.samples,)),
    ]
    about = {"checkpoint": str(trained.source), "step": trained.step, "towers": [asdict(one) for one in done]}
    (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf8")
    return done


def _exported(tower: Tower, extractor: Extractor | None, path: Path, takes: str, shape: tuple[int, ...]) -> Exported:
    if extractor is not None:
        takes, shape = f"features of {extractor.name}", (extractor.layers, extractor.size)
    x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    with _quiet():
        torch.onnx.export(
            tower,
            (x,),
            str(path),
            dynamo=True,
            verbose=False,
            external_data=False,
            input_names=["x"],
            output_names=["embedding"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
        )
    difference = parity(tower, path, torch.cat([x, x[:1].flip(-1)]))
    if not difference < FAR:
        raise ValueError(
            f"{path.name}: its embeddings differ from torch's by {difference:.1e}; report this, with the run"
        )
    return Exported(file=path.name, takes=takes, shape=shape, difference=difference)


def parity(tower: Tower, path: Path, x: Tensor) -> float:
    """Return how far a file's embeddings of `x` are from the tower's at most, in any coordinate."""
    session = need("onnxruntime", extra=EXTRA).InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        own = tower(x)
    return float((torch.from_numpy(session.run(None, {"x": x.numpy()})[0]) - own).abs().max())


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the exporter says of other libraries, and of its own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", (FutureWarning, DeprecationWarning))
            yield
    finally:
        logger.setLevel(level)
