"""What a run of any trainer has saved: its newest sound checkpoint, its settings, and its weights put into a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from rerail.fit import FitConfig, NotFinite, Saved, newest_saved, saved_settings

UNPROVED = "unproved"
ONLY_TRAINED_WITH = "recogniser."  # the part of a model that nobody needs who only speaks
C = TypeVar("C")
M = TypeVar("M", bound=nn.Module)


def told(source: Path, step: int, health: str, passed: Sequence[str], weights: Iterable[Tensor]) -> str:
    """Say in lines which checkpoint was loaded, `health` being what its run knew of it, and what was passed over."""
    known = {"": "", UNPROVED: ", unproved (saved last: too few steps followed it)"}.get(health, f", {health}")
    about = f"{source}: step {step}{known}, {sum(one.numel() for one in weights) / 1e6:.1f} M parameters"
    return "\n".join([about, *(f"passed over: {one}" for one in passed)])


def found(place: Path, cure: str) -> tuple[Saved, Mapping[str, Any]]:
    """Read the newest sound checkpoint of a run, or the one that `place` is, and the run's settings.

    `cure` is what a person is told to do where the weights are not finite.

    Raises:
        ValueError: where there is none, or its weights are not finite.
    """
    if not place.exists():
        raise ValueError(
            f"{place}: there is no such run; give a run's folder, a step-* folder, or a published *.pt file"
        )
    try:
        return newest_saved(place), saved_settings(place)
    except NotFinite as error:
        raise ValueError(f"{error}; {cure}") from error


def config_of(kind: type[C], settings: Mapping[str, Any]) -> C:
    """Return the settings of a trainer from those of its run.

    Raises:
        ValueError: for a setting that this version does not know.
    """
    kinds: tuple[Any, ...] = (kind, FitConfig)
    own, loop = ({one.name for one in fields(one)} for one in kinds)
    if unknown := sorted(settings.keys() - own - loop):
        raise ValueError(f"config.yaml: this rerail knows no {', '.join(unknown)}; use the version that wrote it")
    return kind(**{name: value for name, value in settings.items() if name in own})


def kept(saved: Saved, names: Sequence[str], what: str) -> dict[str, Any]:
    """Return what a run keeps among its other state, all of `names` at least.

    Raises:
        ValueError: where one is missing; the checkpoint is not of `what`.
    """
    others = {name: value for one in saved.state["others"] for name, value in one.items()}
    if missing := [name for name in names if name not in others]:
        raise ValueError(f"{saved.path} keeps no {' and no '.join(missing)}; give a checkpoint of {what}")
    return others


def filled(model: M, saved: Saved, others: Mapping[str, Any]) -> M:
    """Load the weights that a run speaks with, the averaged ones where it has them; return the model to speak with.

    Raises:
        ValueError: where they are of another model.
    """
    weights = {**saved.state["model"], **others.get("average", {})}
    try:
        model.load_state_dict({name: one for name, one in weights.items() if not name.startswith(ONLY_TRAINED_WITH)})
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        do = "restore it, or use the rerail that trained it (`environment` in its journal's first line)"
        raise ValueError(f"{saved.path} is of another model than config.yaml says ({lines}); {do}") from error
    return model.eval()
