"""Checkpoints on disk: written whole or not at all, checksummed, loadable with `weights_only=True`.

A checkpoint is a folder `step-00000120/` of `state.pt` and `manifest.json` (format, step, tick, health, size, SHA-256).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rerail.act.state import sound
from rerail.core.retention import thin

FORMAT = 1
HEALTHY, UNPROVED, ABANDONED = "healthy", "unproved", "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands beside a checkpoint.

    `health` is `healthy`, `unproved` where too few steps followed, or `abandoned` where the run went back behind it.
    """

    step: int
    tick: int
    health: str
    bytes: int
    sha256: str
    format: int = FORMAT


class Checkpoints:
    """The checkpoints of one run; `masks` are the buffers that may hold infinities.

    The `newest` healthy ones are never deleted; older ones thin out with age.
    """

    def __init__(self, folder: Path, masks: frozenset[str] = frozenset(), newest: int = 2) -> None:
        self.folder, self.masks, self.newest = folder, masks, newest

    def save(self, state: Mapping[str, Any], *, step: int, tick: int, healthy: bool) -> Path:
        """Write a checkpoint atomically, then delete what retention no longer keeps; return its folder.

        Raises:
            ValueError: for a state that is not finite. It is not written.
        """
        if not sound(state, self.masks):
            raise ValueError(f"checkpoint of step {step}: the state is not finite, so it was not saved; rewind first")
        target = self._path(step)
        if _whole(target) and read_manifest(target / "manifest.json").health == HEALTHY:
            return target  # the same step of the same course of the run
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        content = buffer.getbuffer()
        manifest = Manifest(
            step=step,
            tick=tick,
            health=HEALTHY if healthy else UNPROVED,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        path = self._publish(content, manifest)
        self._thin()
        return path

    def list(self) -> list[tuple[Path, Manifest]]:
        """Return the checkpoints that are whole, oldest first."""
        whole = [path for path in self.folder.glob("step-*") if _whole(path)]
        found = [(path, read_manifest(path / "manifest.json")) for path in whole]
        return sorted(found, key=lambda pair: (pair[1].step, pair[1].tick))

    def newest_sound(self) -> tuple[Path, dict[str, Any], Sequence[str]] | None:
        """Load the newest checkpoint that is whole; return it with the complaints about newer ones. None if none is."""
        damaged: list[str] = []
        for path in sorted(self.folder.glob("step-*"), reverse=True):
            try:
                if read_manifest(path / "manifest.json").health != ABANDONED:
                    return path, load(path), damaged
            except ValueError as error:  # noqa: PERF203 (a damaged checkpoint is rare, and this runs once)
                damaged.append(str(error))
        if damaged:
            raise ValueError("\n  ".join([f"{self.folder}: no checkpoint is whole", *damaged]))
        return None

    def abandon(self, after: int) -> None:
        """Mark the checkpoints past step `after`, behind which the run went back: no resume takes them."""
        for path, manifest in self.list():
            if manifest.step > after and manifest.health != ABANDONED:
                draft = path / f".manifest.{os.getpid()}"
                _write(draft, json.dumps(asdict(replace(manifest, health=ABANDONED)), indent=2).encode())
                draft.replace(path / "manifest.json")

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def _publish(self, content: memoryview, manifest: Manifest) -> Path:
        target = self._path(manifest.step)
        draft = self.folder / f".{target.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _write(draft / "state.pt", content)
        _write(draft / "manifest.json", json.dumps(asdict(manifest), indent=2).encode())
        if target.exists():  # the same step again, after a rewind: the newer one takes its place, never half of it
            aside = self.folder / f".{target.name}.old"
            shutil.rmtree(aside, ignore_errors=True)
            target.rename(aside)
        draft.rename(target)
        shutil.rmtree(self.folder / f".{target.name}.old", ignore_errors=True)
        return target

    def _thin(self) -> None:
        found = self.list()
        newest = max(found, key=lambda pair: pair[1].tick)[1].step
        healthy = {manifest.step for _, manifest in found if manifest.health == HEALTHY}
        ages = thin([newest - step for step in healthy if step <= newest], self.newest)
        keep = {newest, *(newest - age for age in ages)}
        for path, manifest in found:
            if manifest.step not in keep and (manifest.step < newest or manifest.health == ABANDONED):
                shutil.rmtree(path)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ValueError: where it is missing, damaged or of another format.
    """
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf8")))
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is no checkpoint: it has no manifest.json; give a step-* folder") from None
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); use an older checkpoint") from None
    if manifest.format != FORMAT:
        raise ValueError(f"{path} has format {manifest.format}, this rerail reads {FORMAT}; use the matching version")
    return manifest


def load(path: Path) -> dict[str, Any]:
    """Load the state of a checkpoint folder, to the CPU, after checking its size and checksum.

    Whoever takes it in moves it to its own device; the states of random generators belong on the CPU.

    Raises:
        ValueError: for a checkpoint that is missing, cut short or altered.
    """
    manifest = read_manifest(path / "manifest.json")
    file = path / "state.pt"
    if not file.exists():
        raise ValueError(f"{path} has lost its state.pt; use an older checkpoint")
    content = file.read_bytes()
    if len(content) != manifest.bytes:
        raise ValueError(f"{file} was cut short: {len(content)} of {manifest.bytes} bytes; use an older checkpoint")
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ValueError(f"{file} was altered: its SHA-256 is not the manifest's; use an older checkpoint")
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(f"{file} holds types that weights_only refuses ({error}); keep state in plain types") from None
    return state


def _whole(path: Path) -> bool:
    # Readable, and of the length that was written: what was cut short neither counts nor stands in the way.
    try:
        return (path / "state.pt").stat().st_size == read_manifest(path / "manifest.json").bytes
    except (ValueError, OSError):
        return False


def _write(path: Path, content: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
