"""What a run has saved, for those who use its weights and do not train: a checkpoint's state, and the run's settings.

Nothing is written. A checkpoint that is damaged, or whose weights are not finite, is passed over and named.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml

from rerail.act.checkpoints import ABANDONED, load, read_manifest
from rerail.act.state import finite

CHECKPOINTS, MANIFEST, SETTINGS = "checkpoints", "manifest.json", "config.yaml"


class NotFinite(ValueError):  # noqa: N818 (what is wrong with it)
    """The weights of a checkpoint are not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint that was read. `passed` are the complaints about newer ones that could not be taken."""

    path: Path
    step: int
    health: str
    state: Mapping[str, Any]
    passed: tuple[str, ...] = ()


def newest_saved(place: Path) -> Saved:
    """Read the newest sound checkpoint of a run, or the checkpoint that `place` is (a `step-*` folder).

    Those behind which the run went back are not taken, unless `place` names one.

    Raises:
        ValueError: where there is none, or none can be taken; `NotFinite` where that is for weights alone.
    """
    passed: list[ValueError] = []
    for path in _candidates(place):
        try:
            return replace(_read(path), passed=tuple(map(str, passed)))
        except ValueError as error:  # noqa: PERF203 (a damaged checkpoint is rare, and this runs once)
            passed.append(error)
    if not passed:
        raise ValueError(f"{place}: no checkpoint is saved there; give a run's folder, or one of its step-* folders")
    kind = NotFinite if all(isinstance(one, NotFinite) for one in passed) else ValueError
    raise kind("\n  ".join([f"{place}: no checkpoint can be used", *map(str, passed)]))


def saved_settings(place: Path) -> Mapping[str, Any]:
    """Return the settings of the run that `place` is or, for a `step-*` folder, belongs to.

    Raises:
        ValueError: where they are missing.
    """
    run = place.resolve().parent.parent if _is_checkpoint(place) else place
    path = run / SETTINGS
    if not path.is_file():
        raise ValueError(f"{path}: no such file, and without its settings a model cannot be built; restore it")
    settings: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf8")) or {}
    return settings


def set_aside(run: Path) -> frozenset[str] | None:
    """Return the ids of the samples that a run says it is measured on; None where no checkpoint of it tells them.

    Weights are not read, so that no checksum vouches for the ids.
    """
    for path in _candidates(run):
        try:
            state = torch.load(path / "state.pt", map_location="cpu", weights_only=True, mmap=True)
        except (
            OSError,
            RuntimeError,
            ValueError,
            KeyError,
            EOFError,
            pickle.UnpicklingError,
        ):  # torch's, by what is hit
            continue
        others = [one for one in state.get("others", ()) if isinstance(one, Mapping)]
        found = [ids for one in others if (ids := _measured_on(one)) is not None]
        return found[0] if found else None
    return None


def _measured_on(kept: Mapping[str, Any]) -> frozenset[str] | None:
    """The ids in what a part of the state keeps: `held_out`, or `validation` of several sets that were put aside."""
    aside = kept.get("aside", {})
    ids = kept.get("held_out") or (aside.get("validation") if isinstance(aside, Mapping) else None)
    return frozenset(map(str, ids)) if ids else None


def _candidates(place: Path) -> Iterator[Path]:
    """The checkpoints to try, newest first."""
    if _is_checkpoint(place):
        yield place
        return
    for path in sorted((place / CHECKPOINTS).glob("step-*"), reverse=True):
        if not _abandoned(path):
            yield path


def _is_checkpoint(place: Path) -> bool:
    return (place / MANIFEST).is_file() or place.resolve().parent.name == CHECKPOINTS


def _abandoned(path: Path) -> bool:
    try:
        return read_manifest(path / MANIFEST).health == ABANDONED
    except ValueError:
        return False  # whoever reads it says why


def _read(path: Path) -> Saved:
    manifest, state = read_manifest(path / MANIFEST), load(path)
    if bad := [name for name, value in state["model"].items() if not finite(value)]:
        raise NotFinite(f"{path}: {len(bad)} of {len(state['model'])} weights are not finite, {bad[0]} for one")
    return Saved(path=path, step=manifest.step, health=manifest.health, state=state)
