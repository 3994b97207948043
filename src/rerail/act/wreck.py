"""What is wrong with a saved state by its numbers alone, whatever model and data it is of.

Adam's moments are held against what any gradients at all could have led to, so that no threshold is a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rerail.core.damage import Damage

FAR = 10.0  # times the reference: training changes the size of a weight matrix by less
SMALLEST = {True: 0.02, False: 1.0}  # of a reference: matrices may begin at zero, a bias or a gain goes to some units
SLACK = 3.0  # on exact bounds: betas that a schedule moves, weight decay, rounding
TINY = 1e-12  # moments whose squares are lost in single precision
ADAMS = frozenset({"Adam", "AdamW", "NAdam", "RAdam"})  # both moments are of the same gradients


def examine(
    state: Mapping[str, Any],
    *,
    names: Sequence[str] = (),
    reference: Mapping[str, Tensor] | None = None,
    clip_norm: float = math.inf,
) -> tuple[Damage, ...]:
    """Return what is wrong with a captured state.

    `names` are the parameters in the first optimizer's order; `reference` are weights to hold these against, those of
    an older checkpoint or of a fresh model; `clip_norm` is the largest gradient norm that the optimizer was given.
    """
    return (
        *weights(state, reference or {}, frozenset(names)),
        *_optimizers(state, names, clip_norm),
        *_settings(state),
    )


def weights(state: Mapping[str, Any], reference: Mapping[str, Tensor], names: frozenset[str]) -> Iterator[Damage]:
    """Yield the tensors that are not finite, and of the parameters `names` those beyond all proportion."""
    loose = {f"loose.{number}": one for number, one in enumerate(state["loose"])}
    for name, tensor in {**state["buffers"], **state["model"], **loose}.items():
        if not tensor.is_floating_point():
            continue
        if count := int((~torch.isfinite(tensor)).sum()):
            yield Damage(code="weights.nonfinite", where=name, numbers={"values": count, "of": tensor.numel()})
        elif name in names and name in reference and (size := rms(tensor)) > (most := limit(reference[name])):
            yield Damage(code="weights.far", where=name, numbers={"size": size, "usual": most / FAR})


def limit(reference: Tensor) -> float:
    """Return the root mean square past which a tensor is beyond all proportion to `reference`, any shape."""
    return FAR * max(rms(reference), SMALLEST[reference.dim() > 1])


def rms(tensor: Tensor) -> float:
    """Return the root mean square."""
    return float(tensor.double().square().mean().sqrt()) if tensor.numel() else 0.0


def spoilt_rows(tensor: Tensor, reference: Tensor) -> Tensor:
    """Say which rows (of dimension 0) are not finite or beyond all proportion to the reference as a whole; (rows,)."""
    rows = tensor.double().reshape(len(tensor), -1)
    size = rows.square().mean(1).sqrt()
    return ~torch.isfinite(rows).all(1) | (size > limit(reference))


def steepest(betas: tuple[float, float]) -> float:
    """Return how many times sqrt(v) the first moment of Adam can be at most, whatever the gradients were.

    With m = (1 - b1) sum b1^i g_i and v = (1 - b2) sum b2^i g_i^2, Cauchy's inequality gives
    |m| <= (1 - b1) / sqrt((1 - b2) (1 - b1^2 / b2)) sqrt(v): 7.3 for betas of 0.9 and 0.999.
    """
    first, second = betas
    if not 0.0 <= first**2 < second < 1.0:
        return math.inf
    return (1.0 - first) / math.sqrt((1.0 - second) * (1.0 - first**2 / second))


def _optimizers(state: Mapping[str, Any], names: Sequence[str], clip_norm: float) -> Iterator[Damage]:
    for number, (kind, optimizer) in enumerate(zip(state["kinds"], state["optimizers"], strict=True)):
        own = names if number == 0 else ()
        for group in optimizer["param_groups"]:
            held = {one: optimizer["state"][one] for one in group["params"] if one in optimizer["state"]}
            for place, kept in held.items():
                yield from _moments(kept, kind, group, own[place] if place < len(own) else f"{number}.{place}")
        if kind in ADAMS:
            yield from _exploded(optimizer, state["model"], clip_norm)


def _moments(kept: Mapping[str, Any], kind: str, group: Mapping[str, Any], name: str) -> Iterator[Damage]:
    tensors = {key: one for key, one in kept.items() if isinstance(one, Tensor) and one.is_floating_point()}
    bad = sum(int((~torch.isfinite(one)).sum()) for one in tensors.values())
    if bad:
        yield Damage(code="optimizer.nonfinite", where=name, numbers={"values": bad})
        return
    first, second = tensors.get("exp_avg"), tensors.get("exp_avg_sq")
    if first is None or second is None or first.shape != second.shape:
        return
    if count := int((second < 0).sum()):
        yield Damage(code="optimizer.negative", where=name, numbers={"values": count, "of": second.numel()})
    elif kind in ADAMS:
        yield from _impossible(first, second, steepest(group["betas"]), name)


def _impossible(first: Tensor, second: Tensor, most: float, name: str) -> Iterator[Damage]:
    ratio = (first.double().abs() - TINY) / second.double().sqrt().clamp(min=TINY)
    if count := int((ratio > SLACK * most).sum()):
        numbers = {"values": count, "of": first.numel(), "ratio": float(ratio.max()), "most": most}
        yield Damage(code="optimizer.impossible", where=name, numbers=numbers)


def _exploded(optimizer: Mapping[str, Any], model: Mapping[str, Tensor], clip_norm: float) -> Iterator[Damage]:
    # A mean of squared gradients is at most the largest of them, and each was clipped; weight decay comes on top.
    seconds = [one["exp_avg_sq"] for one in optimizer["state"].values() if "exp_avg_sq" in one]
    norm = math.sqrt(max(0.0, sum(float(one.double().sum()) for one in seconds)))
    decay = max((float(group.get("weight_decay", 0.0)) for group in optimizer["param_groups"]), default=0.0)
    size = math.sqrt(sum(float(one.double().square().sum()) for one in model.values() if one.is_floating_point()))
    most = clip_norm + decay * (size if math.isfinite(size) else 0.0)
    if norm > SLACK * most:
        yield Damage(code="optimizer.exploded", numbers={"norm": norm, "most": most})


def _settings(state: Mapping[str, Any]) -> Iterator[Damage]:
    # Infinity is a number to start from in some schedules ("best loss so far"), and never one of an optimizer's.
    groups = _numbers([one["param_groups"] for one in state["optimizers"]], "optimizers")
    bad = [(name, value) for name, value in groups if not math.isfinite(value)]
    bad += [(name, value) for name, value in _numbers(state["others"], "others") if math.isnan(value)]
    yield from (Damage(code="settings.nonfinite", where=name, numbers={"value": value}) for name, value in bad)


def _numbers(value: object, where: str) -> Iterator[tuple[str, float]]:
    """Yield every Python float of nested containers, and the sums of tensors, with the way to it."""
    if isinstance(value, float):
        yield where, value
    elif isinstance(value, Tensor):
        yield where, float(value.double().sum())
    for key, one in _inside(value):
        yield from _numbers(one, f"{where}.{key}")


def _inside(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()
