"""A run that is over, read from its folder: settings, what its journal tells, checkpoints whole and damaged.

Nothing here trains, and nothing in the folder is changed.
"""

from __future__ import annotations

import io
import pickle
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rerail.act import quarantine
from rerail.act.checkpoints import Checkpoints, load, read_manifest
from rerail.act.disk import JOURNAL
from rerail.act.salvage import Replaced, salvage
from rerail.act.wreck import examine
from rerail.core import plain
from rerail.core.damage import Damage
from rerail.core.remedy import Dose, Remedy
from rerail.core.told import GOOD
from rerail.saved import saved_settings as settings
from rerail.tell import explain, journal, story

__all__ = [
    "Checkpoint",
    "Damage",
    "Replaced",
    "dosed",
    "examine",
    "interventions",
    "keep_quarantine",
    "load",
    "measured",
    "newest",
    "salvage",
    "salvageable",
    "saved",
    "settings",
    "untaken",
    "write",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint's folder, and what its manifest says; `complaint` where it is not whole."""

    path: Path
    step: int
    health: str = ""
    complaint: str = ""


def newest(folder: Path, having: str) -> Path:
    """Return the run in a folder whose journal was written to last, of those that have the setting `having`.

    Raises:
        ValueError: where there is none.
    """
    runs = [one.parent for one in folder.glob(f"*/{JOURNAL}") if (one.parent / "checkpoints").is_dir()]
    found = [one for one in runs if (one / "config.yaml").is_file() and having in settings(one)]
    if not found:
        raise ValueError(
            f"{folder} holds no such run with checkpoints; give one by --run, or a step-* folder by --checkpoint"
        )
    return max(found, key=lambda one: (one / JOURNAL).stat().st_mtime)


def untaken(folder: Path) -> Path:
    """Return `folder`, or the first of `folder-2`, `folder-3`, ... that is not there yet."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def saved(run: Path) -> list[Checkpoint]:
    """Return every checkpoint of a run, oldest first, also those that are not whole."""
    found = [_saved(path) for path in (run / "checkpoints").glob("step-*") if path.is_dir()]
    return sorted(found, key=lambda one: one.step)


def _saved(path: Path) -> Checkpoint:
    step = int(digits) if (digits := path.name.removeprefix("step-")).isdigit() else 0
    try:
        manifest = read_manifest(path / "manifest.json")
    except ValueError as error:
        return Checkpoint(path=path, step=step, complaint=str(error))
    return Checkpoint(path=path, step=manifest.step, health=manifest.health)


def salvageable(path: Path) -> dict[str, Any] | None:
    """Load what can be read of a checkpoint that is not as it was written; None where nothing can.

    No checksum vouches for it: what comes out is to be examined.
    """
    try:
        content = io.BytesIO((path / "state.pt").read_bytes())
        state: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):  # torch's, by what is hit
        return None
    return state if isinstance(state, dict) and "model" in state else None


def measured(run: Path) -> tuple[list[tuple[int, dict[str, float]]], list[float]]:
    """Return a run's held-out metrics by step, as `mel`, and the seconds of each step; nothing without a journal."""
    metrics, seconds = [], []
    for record in _records(run):
        if record["kind"] == "reading":
            values = {name: float(value) for name, value in record["values"].items()}
            if held_out := {n.removeprefix("eval/"): value for n, value in values.items() if n.startswith("eval/")}:
                metrics.append((int(values.get("step", 0.0)), held_out))
            seconds += [values["time/step"]] if "time/step" in values else []
    return metrics, seconds


def interventions(run: Path, last: int) -> list[str]:
    """Return a line for each of the `last` times that the guard stepped in or told of something to mend."""
    told = story.gather(_records(run), name=run.name)
    grave = [case for case in told.interventions if case.moved != "COMMIT" or case.cause or _to_mend(case.findings)]
    return [explain.line(case) for case in grave][-last:]


def _to_mend(findings: Sequence[Mapping[str, Any]]) -> bool:
    return any(one.get("code") not in {*GOOD, "alignment.guide"} for one in findings)


def keep_quarantine(run: Path, new: Path) -> int:
    """Copy the samples that a run keeps out of training to another run; return how many."""
    source = run / quarantine.NAME
    if not source.is_file():
        return 0
    new.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, new / quarantine.NAME)
    return len(quarantine.Quarantine(source).ids)


def write(folder: Path, state: Mapping[str, Any]) -> Path:
    """Write a state as a checkpoint of the run in `folder`; return the checkpoint's folder.

    Raises:
        ValueError: for a state that is not finite.
    """
    tick = int(state["memory"]["tick"])
    return Checkpoints(folder / "checkpoints").save(state, step=int(state["step"]), tick=tick, healthy=False)


def dosed(memory: Mapping[str, Any], remedies: Sequence[Remedy], *, anew: bool) -> dict[str, Any]:
    """Return a guard's memory, as it is saved, with the remedies' knobs in force from the next tick on.

    `anew`: what the detectors know is of other weights than these, and is left out.
    """
    tick = int(memory["tick"])
    ledger = {"episodes": {}, "doses": []} if anew else dict(memory["ledger"])
    doses = [*ledger["doses"], *(plain.dump(Dose(since=tick, remedy=one)) for one in remedies)]
    return {"tick": tick, "detectors": {} if anew else memory["detectors"], "ledger": {**ledger, "doses": doses}}


def _records(run: Path) -> Iterator[dict[str, Any]]:
    return journal.read(run) if (run / JOURNAL).is_file() else iter(())
