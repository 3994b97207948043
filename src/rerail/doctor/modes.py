"""Is the model finite and deterministic in eval mode, and are the rows of a batch independent of each other?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rerail.act import rows
from rerail.core.knobs import NEUTRAL
from rerail.doctor.check import Check, failed, found, skipped, some
from rerail.doctor.patient import Patient
from rerail.prove.attempt import precision
from rerail.prove.replay import OTHER_SEED
from rerail.sense.losses import Losses

ROUNDING = 1e-3
SLACK = 1e-4  # relative to the largest output: products of other shapes round otherwise


def evaluation(patient: Patient) -> Check:
    """Compute the losses in eval mode, without gradients: finite, and the same under another random state."""
    name = "eval mode"
    first, again, drawn = (_evaluated(patient, seed) for seed in (None, None, OTHER_SEED))
    if bad := [key for key, value in first.items() if not math.isfinite(value)]:
        do = "look at running statistics, and at what differs between train() and eval()"
        return failed(name, f"not finite: {some(bad)}", do, bad=len(bad))
    slack = 0.0 if patient.recipe.device == "cpu" else ROUNDING  # a GPU adds up in no fixed order
    off = {key: abs(first[key] - again[key]) - slack * abs(first[key]) for key in first}
    if max(off.values()) > 0:
        do = "something outside the model's state is carried over from call to call; reset it"
        return failed(name, "two calls from one random state differ", do)
    by = max(abs(first[key] - drawn[key]) - slack * abs(first[key]) for key in first)
    if by <= 0:
        return found(name, "finite, and the same each time", by=by)
    if patient.draws_in_eval:
        return found(name, "finite; it draws at random, which was said to be meant", by=by)
    do = "give dropout the module's mode (training=self.training); say draws_in_eval=True where drawing is meant"
    return failed(name, f"losses differ by {by:.2g} from draw to draw", do, by=by)


def independence(patient: Patient) -> Check:
    """Change one row of the batch: the outputs of all other rows stay as they are.

    BatchNorm, which mixes rows by design, is put into eval mode for this. Outputs are those of the outermost modules
    that the losses call, where they have a row for each of the batch's.
    """
    name = "rows do not mix"
    count = rows.count(patient.batch)
    if count < 2:  # noqa: PLR2004 (there are no others)
        return skipped(name, "the batch has one row")
    changed, did = _altered(patient.batch, count)
    norms = [one for one in patient.model.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001
    if not did or any(one.running_mean is None for one in norms):
        return skipped(name, "BatchNorm without running statistics mixes them" if did else "nothing in it to change")
    before, after = (_outputs(patient, batch, norms, count) for batch in (patient.batch, changed))
    if not before or len(before) != len(after):
        return skipped(name, "no module gives an output with a row for each of the batch's")
    own, others = _moved(before, after, slice(0, 1)), _moved(before, after, slice(1, None))
    told = "BatchNorm aside, " if norms else ""
    if others > SLACK:
        do = "something is computed over dimension 0: a softmax, mean or norm along the wrong dimension, a reshape"
        return failed(
            name, f"{told}changing row 0 moves others by {others:.2g} of the largest output", do, others=others
        )
    if own <= SLACK:
        return skipped(name, "changing a row did not change its own output")
    return found(name, f"{told}changing row 0 moves only its own output", own=own, others=others)


def _evaluated(patient: Patient, seed: int | None) -> dict[str, float]:
    patient.fresh()
    patient.model.eval()
    if seed is not None:
        torch.manual_seed(seed)
    with torch.no_grad(), precision(patient.recipe, NEUTRAL):
        return {name: float(value) for name, value in Losses.of(patient.recipe.losses(patient.batch)).items()}


def _outputs(patient: Patient, batch: Any, norms: Sequence[nn.Module], count: int) -> list[Tensor]:  # noqa: ANN401
    patient.fresh()
    for norm in norms:
        norm.eval()
    eager = torch.compiler.set_stance("force_eager")
    with torch.no_grad(), eager, precision(patient.recipe, NEUTRAL), _outermost() as given:
        patient.recipe.losses(batch)
    tensors = [one for output in given for one in _tensors(output)]
    return [one.float() for one in tensors if one.is_floating_point() and one.dim() and one.shape[0] == count]


@contextmanager
def _outermost() -> Iterator[list[object]]:
    """Gather the outputs of modules that no other module calls."""
    given: list[object] = []
    depth = 0

    def enter(*_: object) -> None:
        nonlocal depth
        depth += 1

    def leave(_: nn.Module, __: object, output: object) -> None:
        nonlocal depth
        depth -= 1
        if depth == 0:
            given.append(output)

    modules = nn.modules.module
    handles = [
        modules.register_module_forward_pre_hook(enter),
        modules.register_module_forward_hook(leave, always_call=True),
    ]
    try:
        yield given
    finally:
        for handle in handles:
            handle.remove()


def _moved(before: Sequence[Tensor], after: Sequence[Tensor], which: slice) -> float:
    """Largest change of these rows, relative to the largest finite output; an output that changed its shape counts."""
    moved = 0.0
    for one, other in zip(before, after, strict=True):
        if one.shape != other.shape:
            return math.inf
        both = torch.isfinite(one) & torch.isfinite(other)
        size = float(one[both].abs().max()) if bool(both.any()) else 0.0
        change = torch.where(both, (one - other).abs(), 0.0)[which]
        moved = max(moved, float(change.max()) / max(size, 1e-12) if change.numel() else 0.0)
    return moved


def _altered(batch: Any, count: int) -> tuple[Any, bool]:  # noqa: ANN401
    """Return the batch with row 0 changed, and whether anything did; lengths, labels and padding stay as they are."""
    did = False

    def change(part: Any) -> Any:  # noqa: ANN401
        nonlocal did
        if isinstance(part, Tensor):
            new = _altered_row(part, count)
            did = did or new is not part
            return new
        if isinstance(part, Mapping):
            return {key: change(value) for key, value in part.items()}
        if isinstance(part, list | tuple) and any(isinstance(one, Tensor | Mapping) for one in part):
            picked = [change(one) for one in part]
            return type(part)(*picked) if hasattr(part, "_fields") else type(part)(picked)
        return part

    return change(batch), did


def _altered_row(tensor: Tensor, count: int) -> Tensor:
    if tensor.dim() < 2 or tensor.shape[0] != count or tensor.dtype is torch.bool or tensor.is_complex():  # noqa: PLR2004
        return tensor
    if tensor.is_floating_point():
        new = tensor.clone()
        new[0] = new[0] * 0.5 + 0.25
        return new
    differs = (tensor[0].flatten() != tensor[0].flatten()[0]).nonzero()
    if not len(differs):
        return tensor
    new = tensor.clone()
    row = new[0].flatten().clone()
    other = int(differs[0])
    row[0], row[other] = row[other].clone(), row[0].clone()  # the same symbols in another order: padding stays valid
    new[0] = row.reshape(new[0].shape)
    return new


def _tensors(given: object) -> Iterator[Tensor]:
    if is_dataclass(given) and not isinstance(given, type):
        for one in fields(given):
            yield from _tensors(getattr(given, one.name))
    else:
        yield from rows.tensors(given)
