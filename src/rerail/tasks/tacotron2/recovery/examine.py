"""Look at every checkpoint of a run: is it whole, are its numbers sound, and what is it worth on held-out clips."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from rerail.core.damage import Damage
from rerail.fit import FitConfig, Parts, Task, averages, beginning, held_out, past, prepare
from rerail.tasks.tacotron2.recovery.decide import Looked

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A run's trainer as built for its first step, to look at its states with. `fresh` is the whole first state."""

    task: Task
    fit: FitConfig
    parts: Parts
    fresh: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """The parameters in the optimizer's order."""
        return [name for name, _ in self.parts.model.named_parameters()]


def bench(task: Task, fit: FitConfig) -> Bench:
    """Build a run's parts with its own seed."""
    parts = prepare(task, fit)
    return Bench(task=task, fit=fit, parts=parts, fresh=beginning(parts, fit))


def measure(bench: Bench, state: Mapping[str, Any]) -> dict[str, float]:
    """Measure the weights of a state on held-out clips; the average of a run that has one, as it does itself.

    Raises:
        ValueError: for weights of another network, or texts with other symbols.
    """
    parts = bench.parts
    averaged = averages(parts, bench.fit) is not None
    kept = state["others"][-len(parts.state) - averaged :]
    for one, saved in zip(parts.state, kept, strict=False):
        one.load_state_dict(copy.deepcopy(saved))  # first: other symbols would show as other shapes
    try:
        parts.model.load_state_dict(state["model"])
        if averaged:  # as saved: a schedule-free optimizer has it from its own state, which is not looked at here
            parts.model.load_state_dict(kept[-1]["average"])
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        raise ValueError(f"the checkpoint is of another model than the run's settings give ({lines})") from error
    return held_out(bench.task, parts)


def examine(bench: Bench, saved: Sequence[past.Checkpoint]) -> list[Looked]:
    """Look at checkpoints, oldest first; each is held against the newest sound one before it, or the fresh model."""
    found: list[Looked] = []
    reference: Mapping[str, Tensor] = bench.fresh["model"]
    for one in saved:
        looked, weights = _examine(bench, one, reference)
        reference = weights if looked.sound else reference
        found.append(looked)
    return found


def _examine(
    bench: Bench, saved: past.Checkpoint, reference: Mapping[str, Tensor]
) -> tuple[Looked, Mapping[str, Tensor]]:
    looked = partial(Looked, name=saved.path.name, step=saved.step, health=saved.health)
    try:
        state = past.load(saved.path)
    except ValueError as error:
        complaint = str(error).replace(f"{saved.path}/", "")
        return looked(complaint=complaint, damages=(Damage(code="file.damaged"),)), {}
    damages = past.examine(state, names=bench.names, reference=reference, clip_norm=bench.fit.clip_norm)
    damages = (*damages, *_other_rate(state, bench.fit.lr))
    finite = not any(one.code == "weights.nonfinite" for one in damages)
    metrics = measure(bench, state) if finite else {}
    return looked(damages=damages, metrics=metrics), state["model"]


def _other_rate(state: Mapping[str, Any], own: float) -> list[Damage]:
    """The rate that the schedule multiplies, where it is not the one that the run was begun with and keeps."""
    rates = [float(one) for one in state["others"][0].get("base_lrs", ())]
    others = [one for one in rates if math.isfinite(one) and not math.isclose(one, own, rel_tol=1e-6)]
    return [Damage(code="settings.other", where="learning rate", numbers={"now": one, "own": own}) for one in others]
