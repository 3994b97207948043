"""The states that trials and the new run begin with: a checkpoint's, its weights salvaged if need be, under a dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rerail.fit import FitConfig, past
from rerail.tasks.tacotron2.recovery.decide import Looked
from rerail.tasks.tacotron2.recovery.examine import Bench
from rerail.tasks.tacotron2.recovery.ladder import Candidate

ATTENTION = "decoder.attention_layer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A whole state to go on from, and what of its weights was taken from a fresh model."""

    state: Mapping[str, Any]
    replaced: tuple[past.Replaced, ...] = ()


def start(bench: Bench, saved: past.Checkpoint, looked: Looked, *, salvage: bool) -> Start | None:
    """Load a checkpoint; with `salvage` replace what is spoilt of it. None where nothing of it can be read."""
    if not salvage:
        return Start(state=past.load(saved.path))
    state = past.salvageable(saved.path) if looked.complaint else past.load(saved.path)
    if state is None or not _same_tensors(state["model"], bench.fresh["model"]):
        return None
    damages = looked.damages
    if looked.complaint:  # what no checksum vouches for gives its weights alone
        state = {**bench.fresh, "model": state["model"], "step": saved.step}
        damages = past.examine(state, names=bench.names, reference=bench.fresh["model"])
    spoilt = {one.where for one in damages if one.code.startswith("weights.")}
    if any(one.code == "attention.lost" for one in looked.damages):
        spoilt |= {name for name in state["model"] if name.startswith(ATTENTION)}
    model, replaced = past.salvage(state["model"], bench.fresh["model"], spoilt)
    aside = {name: bench.fresh[name] for name in ("buffers", "loose")}  # what Tacotron2 has none of
    others = [_averaging(one, model) for one in state["others"]]
    return Start(state={**state, **aside, "model": model, "others": others}, replaced=replaced)


def _averaging(other: Mapping[str, Any], model: Mapping[str, Any]) -> Mapping[str, Any]:
    """An average begins anew with the weights that were mended: its own are spoilt too, or a fresh model's."""
    if "average" not in other:
        return other
    return {**other, "average": model} | ({"averaged": 0} if "averaged" in other else {})


def _same_tensors(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return set(one) == set(other) and all(tensor.shape == other[name].shape for name, tensor in one.items())


def under(candidate: Candidate, start: Start, bench: Bench, fit: FitConfig) -> dict[str, Any]:
    """Return the state that a candidate trains from; `fit` are the settings it will train with."""
    state = dict(start.state)
    if candidate.fresh_optimizer:
        state |= _anew(state, bench, fit)
    if candidate.rung.stays:  # another size of batches is another order of them: it begins anew
        state["position"] = None
    anew = bool(start.replaced) or candidate.source.salvage
    return state | {"memory": past.dosed(state["memory"], candidate.rung.remedies, anew=anew)}


def _anew(state: Mapping[str, Any], bench: Bench, fit: FitConfig) -> dict[str, Any]:
    """An optimizer without memory at the rate that the schedule has at this step, and the schedule made sure of."""
    step, lr = int(state["step"]), fit.lr
    rate = lr * fit.rate_at(step)
    (fresh,) = bench.fresh["optimizers"]
    groups = [{**group, "lr": rate, "initial_lr": lr} for group in fresh["param_groups"]]
    schedule, others = bench.fresh["others"][0], state["others"][1:]
    schedule = {**schedule, "base_lrs": [lr], "last_epoch": step, "_step_count": step + 1, "_last_lr": [rate]}
    return {"optimizers": [{"state": {}, "param_groups": groups}], "others": [schedule, *others]}
