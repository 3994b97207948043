"""Does a run that is saved and loaded go on as the one that was never stopped?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rerail.act import state
from rerail.act.checkpoints import Checkpoints, load
from rerail.core.knobs import NEUTRAL
from rerail.doctor.check import Check, failed, found
from rerail.doctor.patient import Patient

NAME = "checkpoint round trip"
DO = "some state is not in its state_dict(), or load_state_dict() does not take it; name what is missing in state=[...]"


def round_trip(patient: Patient) -> Check:
    """Train, save to a temporary folder, train on, load, train on again: the same, bit by bit (on a GPU: loaded)."""
    patient.fresh()
    _step(patient)
    parts = patient.bench.parts
    there = state.capture(parts)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Checkpoints(Path(folder), parts.masks()).save(there, step=1, tick=1, healthy=False)
            loaded = load(path)
        except ValueError as error:
            return failed(NAME, str(error), "mend this first")
        size = sum(file.stat().st_size for file in path.iterdir())
    took = time.perf_counter() - began
    _step(patient)
    onward = state.capture(parts)
    patient.fresh()  # so that what a load leaves out is not there by chance
    state.restore(parts, loaded)
    lost = _differing(there, state.capture(parts))
    if not lost and patient.recipe.device == "cpu":
        _step(patient)
        lost = _differing(onward, state.capture(parts))
    seen = {"bytes": size, "seconds": took}
    if lost:
        return failed(NAME, f"not as it was: {', '.join(lost)}", DO, **seen)
    return found(NAME, f"equal bit by bit; {size / 2**20:.1f} MiB in {took:.2f} s", **seen)


def _step(patient: Patient) -> None:
    patient.bench.commit(patient.backward(), patient.clip_norm, NEUTRAL)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [name for name in one if not _same(one[name], other[name])]


def _same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return torch.equal(
            one.contiguous().reshape(-1).view(torch.uint8), other.contiguous().reshape(-1).view(torch.uint8)
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
