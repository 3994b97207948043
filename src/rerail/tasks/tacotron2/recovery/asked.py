"""What is to be recovered: a run's folder or one checkpoint, with the settings that the run was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from rerail.fit import FitConfig, past
from rerail.tasks.tacotron2.settings import Tacotron2Config

T = TypeVar("T")
OURS = "gate_positive"  # a setting that the runs of this trainer alone have


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as a person makes it: empty where nothing was said. `trial` is how many steps a trial takes."""

    run: str = ""
    checkpoint: str = ""
    data: str = ""
    steps: int = 0
    out: str = ""
    notify: bool = False
    trial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wreck:
    """A run that is looked at, its checkpoints oldest first, its settings, and settings that this version lacks."""

    run: Path
    saved: tuple[past.Checkpoint, ...]
    config: Tacotron2Config
    fit: FitConfig
    unknown: tuple[str, ...] = ()


def wreck(asked: Asked, runs: Path = Path("runs")) -> Wreck:
    """Find the run: the one that was given, that of the checkpoint, or the newest in `runs`.

    Raises:
        ValueError: where there is none, or nothing of it to look at.
    """
    if asked.run and asked.checkpoint:
        raise ValueError(
            "--run looks at all checkpoints of a run, --checkpoint at one and those before; give one of both"
        )
    place = Path(asked.checkpoint or asked.run)
    of_one = asked.checkpoint and not (place / "checkpoints").is_dir()  # a run's folder there is meant as one
    run, saved = _of_checkpoint(place) if of_one else _of_run(asked.checkpoint or asked.run, runs)
    given = dict(past.settings(run))
    config, fit = _built(Tacotron2Config, given), _built(FitConfig, given)
    config = replace(config, data=asked.data or config.data)
    fit = replace(fit, steps=asked.steps or fit.steps)
    known = {one.name for kind in (Tacotron2Config, FitConfig) for one in fields(kind)}
    return Wreck(run=run, saved=saved, config=config, fit=fit, unknown=tuple(sorted(set(given) - known)))


def _of_run(given: str, runs: Path) -> tuple[Path, tuple[past.Checkpoint, ...]]:
    run = Path(given) if given else past.newest(runs, having=OURS)
    if not (saved := past.saved(run)):
        raise ValueError(
            f"{run} has no checkpoints to recover from; begin anew, with its settings: --config config.yaml"
        )
    return run, tuple(saved)


def _of_checkpoint(path: Path) -> tuple[Path, tuple[past.Checkpoint, ...]]:
    if not path.is_dir():
        raise ValueError(f"{path}: no such folder; give a step-* folder of a run's checkpoints")
    run = path.resolve().parent.parent if path.parent.is_symlink() else path.parent.parent
    every = past.saved(run)
    last = next((one for one in every if one.path.name == path.name), None)
    if last is None:
        raise ValueError(f"{path} lies in no run (RUN/checkpoints/step-*); put it there, beside the run's config.yaml")
    return run, tuple(one for one in every if one.step <= last.step)


def _built(kind: type[T], given: Mapping[str, Any]) -> T:
    values = {one.name: given[one.name] for one in fields(kind) if one.name in given}  # type: ignore[arg-type]
    infinite = {name: float(value) for name, value in values.items() if value in ("inf", "-inf", "nan")}
    return kind(**{**values, **infinite})
