"""What a run has saved, for those who use its weights and do not train: a checkpoint's state, and the run's settings.

Nothing is written. A checkpoint that is damaged, or whose weights are not finite, is passed over and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
