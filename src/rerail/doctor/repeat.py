"""Does the same step give the same numbers?"""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.core.reading import Reading
from rerail.doctor.check import Check, failed, found, some
from rerail.doctor.patient import Patient

NAME = "the same step twice"
SLACK = 1e-3  # relative, where sums are added up in no fixed order (atomic additions on a GPU)
DO = (
    "something outside the run's state is carried over or drawn: a hidden state kept on a module, a generator of the "
    "loss's own, a batch that is written into; reset it, or name it in Guard(state=[...])"
)


def repeats(patient: Patient) -> Check:
    """Run forward and backward twice from one state and one random state; compare every loss and gradient."""
    one, first = _pass(patient)
    other, second = _pass(patient)
    off = {name: abs(one.values[name] - other.values.get(name, 0.0)) for name in one.values}
    losses = [name for name, by in off.items() if name.startswith("loss/") and by > _slack(patient, one.values[name])]
    gradients = [name for name in first if not _same(first[name], second.get(name), exact=_exact(patient))]
    if losses or gradients:
        told = f"differs: {some([*losses, *(f'gradient of {name}' for name in gradients)])}"
        return failed(NAME, told, DO, losses=len(losses), gradients=len(gradients))
    return found(NAME, f"{len(first)} gradients equal" + (", bit by bit" if _exact(patient) else ""))


def _pass(patient: Patient) -> tuple[Reading, dict[str, Tensor]]:
    patient.fresh()
    reading = patient.backward()
    return reading, {name: one.grad for name, one in patient.named().items() if one.grad is not None}


def _exact(patient: Patient) -> bool:
    return patient.recipe.device == "cpu"


def _slack(patient: Patient, value: float) -> float:
    return 0.0 if _exact(patient) else SLACK * abs(value)


def _same(one: Tensor, other: Tensor | None, *, exact: bool) -> bool:
    if other is None:
        return False
    a, b = (each.to_dense() if each.is_sparse else each for each in (one, other))
    if exact:
        return torch.equal(torch.isnan(a), torch.isnan(b)) and bool(((a == b) | torch.isnan(a)).all())
    return bool((a - b).norm() <= SLACK * a.norm())
