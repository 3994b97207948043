"""Trained parts that come inside packages or files: found without importing anything, and checked before use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in an installed package. `get` is the command that installs it."""

    package: str
    file: str
    sha256: str
    get: str


def found(part: Part) -> Path:
    """Return where the part lies.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
        ValueError: where it is not the file that it should be.
    """
    spec = find_spec(part.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{part.package} is not installed, and this needs it; run: {part.get}")
    path = Path(spec.submodule_search_locations[0]) / part.file
    if not path.is_file():
        raise ValueError(f"{path} is missing; run: {part.get}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != part.sha256:
        raise ValueError(f"{path} is another file than expected (its SHA-256 is {digest[:12]}...); run: {part.get}")
    return path


def content(path: Path, key: str) -> dict[str, Any]:
    """Read a file of weights, and of weights alone; it must hold a state dict under `key`.

    Raises:
        ValueError: for any other file.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no such file raise whatever reading them comes upon
        raise ValueError(f"{path}: cannot be read as weights alone ({error}); get the file anew") from error
    if not isinstance(held, dict) or not isinstance(held.get(key), dict):
        raise ValueError(f"{path}: holds no `{key}`; give a checkpoint in the published form")
    return held
