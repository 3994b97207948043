"""Is every parameter reached by a gradient, held by one optimizer, and moved by a step?"""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor

from rerail.doctor.check import Check, failed, found, skipped, some
from rerail.doctor.patient import Patient

LEAST, MOST = 1e-4, 1e4  # first layer's gradient over the last one's, root mean squares


def gradients(patient: Patient) -> Check:
    """Every parameter that requires a gradient gets one, and it is finite."""
    name = "gradients arrive"
    patient.fresh()
    patient.backward()
    wanted = {key: one.grad for key, one in patient.named().items() if one.requires_grad}
    without = [key for key, gradient in wanted.items() if gradient is None]
    if without:
        do = "the loss does not depend on it: an unused layer, a detach() or no_grad() on the way; use it or freeze it"
        return failed(name, f"none for {some(without)}", do, without=len(without))
    given = {key: _dense(gradient) for key, gradient in wanted.items() if gradient is not None}
    if bad := [key for key, gradient in given.items() if not bool(torch.isfinite(gradient).all())]:
        do = "look at the inputs first, then at roots, logarithms and divisions near 0 in this part"
        return failed(name, f"not finite for {some(bad)}", do, bad=len(bad))
    zero = [key for key, gradient in given.items() if not bool(gradient.any())]
    told = f"{len(given)} of {len(given)} parameters" + (f"; all zero on this batch: {some(zero)}" if zero else "")
    return found(name, told, parameters=len(given), zero=len(zero))


def ownership(patient: Patient) -> Check:
    """Every parameter that requires a gradient is in an optimizer."""
    name = "optimizer has all parameters"
    held = Counter(_held(patient))
    lost = [key for key, one in patient.named().items() if one.requires_grad and id(one) not in held]
    if lost:
        do = "give it to the optimizer; build the optimizer after the last layer is made or replaced"
        return failed(name, f"not {some(lost)}", do, lost=len(lost))
    return found(name, f"{len(held)} parameters", parameters=len(held))


def once(patient: Patient) -> Check:
    """No parameter is in two groups, of one optimizer or of two: it would be moved twice a step."""
    name = "each parameter in one group"
    held = Counter(_held(patient))
    double = [key for key, one in patient.named().items() if held[id(one)] > 1]
    if double:
        do = "it is moved twice a step: list it once (tied weights have one parameter under two names)"
        return failed(name, f"twice: {some(double)}", do, double=len(double))
    return found(name, f"{_groups(patient)} group(s)", groups=_groups(patient))


def moves(patient: Patient) -> Check:
    """After one step at the schedule's highest rate, every parameter with a gradient has moved."""
    name = "a step moves them"
    patient.fresh()
    before = {key: one.detach().clone() for key, one in patient.named().items()}
    reading = patient.backward()
    if not math.isfinite(reading.values["grad/norm"]):
        return failed(name, "the gradient is not finite, so no step was taken", "mend the gradient first")
    held = set(_held(patient))
    # Taken before the step: an optimizer may change gradients in place (weight decay, clipping).
    due = [key for key, one in patient.named().items() if id(one) in held and _pushes(one.grad)]
    patient.learn(reading)
    still = [key for key in due if torch.equal(before[key], patient.named()[key].detach())]
    seen = {"due": len(due), "still": len(still), "lr": max(patient.rates)}
    if still:
        do = (
            f"look at the learning rate ({max(patient.rates):.3g}) and at weights in half precision, which round it off"
        )
        return failed(name, f"not {some(still)}", do, **seen)
    if not due:
        return failed(name, "no parameter has a gradient that is not zero", "the loss is constant: look at it", **seen)
    return found(name, f"{len(due)} parameters, at the rate {max(patient.rates):.3g}", **seen)


def flow(patient: Patient) -> Check:
    """The gradient of the first weights beside that of the last ones, in the order in which they were registered.

    Root mean squares over the entries that are not zero, since a batch uses few rows of an embedding.
    """
    name = "gradient flow"
    patient.fresh()
    patient.backward()
    sizes = {
        key: _size(_dense(one.grad))
        for key, one in patient.model.named_parameters()
        if one.grad is not None and one.dim() > 1
    }
    if len(sizes) < 2:  # noqa: PLR2004 (depth needs two)
        return skipped(name, "fewer than two weight matrices have a gradient")
    first, *_, last = sizes
    size, other = sizes[first], sizes[last]
    ratio = size / other if other else math.inf
    told = f"first ({first}) / last ({last}) = {ratio:.2g}"
    seen = {"ratio": ratio, "first": size, "last": other, "least": min(sizes.values())}
    if not ratio >= LEAST:
        do = "it vanishes on the way: residual connections, normalisation, ReLU for sigmoid, initial weights by fan-in"
        return failed(name, told, do, **seen)
    if not ratio <= MOST:
        do = "it explodes on the way: normalisation, smaller initial weights, clip_norm"
        return failed(name, told, do, **seen)
    return found(name, told, **seen)


def _held(patient: Patient) -> list[int]:
    groups = [group for one in patient.bench.parts.optimizers for group in one.param_groups]
    return [id(parameter) for group in groups for parameter in group["params"]]


def _groups(patient: Patient) -> int:
    return sum(len(one.param_groups) for one in patient.bench.parts.optimizers)


def _pushes(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(_dense(gradient).any())


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _size(gradient: Tensor) -> float:
    kept = gradient[gradient != 0].double()
    return float(kept.square().mean().sqrt()) if kept.numel() else 0.0
