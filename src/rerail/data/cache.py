"""What is computed from files, computed once: memory-mapped, keyed by the parameters and by the files' own bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from rerail.data import packs
from rerail.data.progress import Progress

T = TypeVar("T")


def key(parameters: object, path: Path) -> str:
    """Return the hash of parameters, by what they print as, and of a file's bytes; a missing file has none.

    Raises:
        ValueError: for a file that may not be read.
    """
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); allow it, or leave the file out") from error
    return hashlib.sha256(repr(parameters).encode() + content).hexdigest()[:32]


def filled(
    folder: Path,
    wanted: Sequence[tuple[str, T]],
    compute: Callable[[T], Tensor],
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> dict[str, Tensor | ValueError]:
    """Return the arrays of type `dtype` by key, computed where `folder` lacks them; what cannot be, as its error.

    What was computed stays when this is interrupted. `progress` is told (done, of how many).

    Raises:
        ValueError: where `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} cannot hold computed features: it is a file; choose another folder")
    known = packs.places(folder)
    missing = {key: one for key, one in wanted if key not in known}
    errors = dict[str, ValueError]()
    if missing:
        told = _later(progress, len(wanted) - len(missing), len(wanted))
        errors = _add(folder, missing, compute, dtype, told)
        known = packs.places(folder)
    elif progress:
        progress(len(wanted), len(wanted))
    arrays = packs.mapped({key: known[key] for key, _ in wanted if key not in errors})
    return {**arrays, **errors}


def _add(
    folder: Path,
    missing: Mapping[str, T],
    compute: Callable[[T], Tensor],
    dtype: torch.dtype,
    told: Callable[[int], None],
) -> dict[str, ValueError]:
    errors = dict[str, ValueError]()
    with packs.writer(folder, dtype) as pack:
        for number, (key, one) in enumerate(missing.items(), 1):
            try:
                pack.add(key, compute(one))
            except ValueError as error:
                errors[key] = error
            told(number)
    return errors


def _later(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    return lambda number: progress(before + number, total) if progress else None
