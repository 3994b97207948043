"""A folder of pictures and recordings, embedded once, to be searched by a picture or a voice."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from rerail.audio.files import store
from rerail.data.pairs.found import SOUNDS, below
from rerail.data.pairs.pictures import ENDINGS as PICTURES
from rerail.data.progress import Progress
from rerail.tasks.face_voice.extract import fingerprint
from rerail.tasks.face_voice.trained import TrainedMatcher

Kind = Literal["picture", "voice"]
PICTURE: Kind = "picture"
VOICE: Kind = "voice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Embeddings (files, width), of length 1, their files and kinds, and what made them: a checkpoint, its weights."""

    files: tuple[str, ...]
    kinds: tuple[str, ...]
    embeddings: Tensor
    checkpoint: str
    weights: str

    def nearest(self, query: Tensor, kind: Kind, top: int) -> list[tuple[str, float]]:
        """Return the files of a kind that are nearest to `query` (width,), with their cosines, the nearest first."""
        places = torch.tensor([place for place, one in enumerate(self.kinds) if one == kind], dtype=torch.long)
        cosines = self.embeddings[places] @ query
        order = cosines.argsort(descending=True, stable=True)[:top]
        return [(self.files[int(places[one])], float(cosines[one])) for one in order]

    def save(self, path: Path) -> None:
        """Write it to a file of numpy's."""
        content = io.BytesIO()
        arrays = {name: np.array(getattr(self, name)) for name in ("files", "kinds", "checkpoint", "weights")}
        np.savez(content, embeddings=self.embeddings.numpy(), **arrays)  # type: ignore[arg-type]
        store(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Index:
        """Read it.

        Raises:
            ValueError: for a file that is none.
        """
        if not path.is_file():
            raise ValueError(f"{path}: no such file; rerail index makes one")
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
                files, kinds = (tuple(map(str, held[name])) for name in ("files", "kinds"))
                embeddings = torch.from_numpy(held["embeddings"])
                checkpoint, weights = (str(held[name]) for name in ("checkpoint", "weights"))
        except (ValueError, OSError, KeyError, AttributeError, EOFError, BadZipFile) as error:
            raise ValueError(f"{path}: not an index ({error}); rerail index makes one") from error
        return cls(files=files, kinds=kinds, embeddings=embeddings, checkpoint=checkpoint, weights=weights)


def build(trained: TrainedMatcher, folder: Path, progress: Progress | None = None) -> tuple[Index, list[str]]:
    """Embed all pictures and recordings under a folder; return the index, and what was left out and why, a line each.

    Raises:
        ValueError: where there is nothing to embed.
    """
    found, odd = list[tuple[str, Kind, Tensor]](), list[str]()
    paths = below(folder, (*PICTURES, *SOUNDS))
    files = list(zip(paths, kinds_of(paths), strict=True))
    for number, (path, kind) in enumerate(files, 1):
        try:
            embedded = trained.picture(path) if kind == PICTURE else trained.voice(path)
            found.append((str(path), kind, embedded))
        except ValueError as error:
            odd.append(str(error))
        if progress:
            progress(number, len(files))
    if not found:
        raise ValueError("\n  ".join([f"{folder}: no picture or recording can be used", *odd[:10]]))
    names, kinds, embeddings = zip(*found, strict=True)
    made = {"checkpoint": str(trained.source.resolve()), "weights": fingerprint(trained.model)}
    return Index(files=names, kinds=kinds, embeddings=torch.stack(embeddings), **made), odd


def kinds_of(paths: Sequence[Path]) -> list[Kind]:
    """Return what each file is by its name: a recording, or else a picture."""
    return [VOICE if path.suffix.lower() in SOUNDS else PICTURE for path in paths]
