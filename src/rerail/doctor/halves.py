"""Do the numbers fit into half precision, and are gradients unscaled before anything judges them?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rerail.core.knobs import Knobs, Precision
from rerail.doctor.check import Check, failed, found, skipped
from rerail.doctor.patient import Patient

HALVES = (torch.float16, torch.bfloat16)
ROOM = 2.0  # largest number times this must fit: activations grow in training
LOST = 0.1  # share of gradient entries below the least number of the format
SLACK = 0.01  # relative, of the gradient's norm under two loss scales
# What autocast runs in half precision (torch.amp's own lists): products. Sums, exponentials and losses stay single.
PRODUCTS = {
    "mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "convolution", "convolution_backward",
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_attention_math",
}  # fmt: skip


def headroom(patient: Patient) -> Check:
    """Run one pass in full precision, watch every matrix product, and compare with the format's limits."""
    name = "half-precision headroom"
    patient.fresh()
    with torch.compiler.set_stance("force_eager"), _Extremes() as seen:
        patient.backward(Knobs(precision=Precision.WIDE), scale=1.0)
    kind = patient.recipe.precision or next(iter(_own_halves(patient)), None) or next(iter(seen.halves), None)
    limit = torch.finfo(kind or torch.float16).max
    room = limit / max(seen.activation, seen.gradient, 1e-30)
    lost = _lost(patient, kind or torch.float16)
    numbers = {"activation": seen.activation, "gradient": seen.gradient, "room": room, "lost": lost}
    most = f"activation {seen.activation:.2g}, gradient {seen.gradient:.2g}"
    if kind not in HALVES:
        return skipped(name, f"the run computes in full precision; {most}; fp16 ends at 65504", **numbers)
    told = f"{most}; {str(kind).removeprefix('torch.')} ends at {limit:.3g}"
    if not room >= ROOM or not seen.finite:
        do = "compute this part in full precision (autocast disabled), normalise its input, or take bf16"
        return failed(name, told, do, **numbers)
    if kind is torch.float16 and patient.recipe.scaler is None and lost > LOST:
        do = "give a GradScaler (scaler=...), or take bf16"
        return failed(name, f"{lost:.0%} of the gradient entries are below what fp16 holds", do, **numbers)
    return found(name, told, **numbers)


def unscaled_first(patient: Patient) -> Check:
    """With a scaler: the gradient that is judged and clipped is the same under another scale, so it is unscaled.

    In full precision, where a scale only moves exponents. Hooks that clip gradients see them scaled.
    """
    name = "unscaled before clipping"
    if patient.recipe.scaler is None:
        return skipped(name, "the run has no loss scaler")
    wide = Knobs(precision=Precision.FP32)
    patient.fresh()
    plain = patient.backward(wide, scale=1.0).values["grad/norm"]
    patient.fresh()
    scaled = patient.backward(wide).values["grad/norm"]
    told = f"gradient norm {plain:.3g} without scale, {scaled:.3g} unscaled from {patient.scale:.6g}"
    seen = {"plain": plain, "unscaled": scaled, "scale": patient.scale}
    if not abs(plain - scaled) <= SLACK * plain:
        do = "something handles gradients while they are scaled, say a hook that clips; use Guard(clip_norm=...)"
        return failed(name, told, do, **seen)
    return found(name, told, **seen)


class _Extremes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The largest magnitudes that go into and come out of matrix products, forward and backward."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.activation = self.gradient = 0.0
        self.finite = True
        self.halves: list[torch.dtype] = []

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in PRODUCTS:
            self._look([*_floats(args), *_floats(result)])
        return result

    def _look(self, tensors: Sequence[Tensor]) -> None:
        largest = max([_largest(one) for one in tensors], default=0.0)
        self.halves += [one.dtype for one in tensors if one.dtype in HALVES][:1]
        self.finite = self.finite and math.isfinite(largest)
        if torch._C._current_autograd_node() is None:  # noqa: SLF001 (autograd tells where it stands in no other way)
            self.activation = max(self.activation, largest)
        else:
            self.gradient = max(self.gradient, largest)


def _largest(tensor: Tensor) -> float:
    low, high = torch.aminmax(tensor.detach())
    largest = max(-float(low), float(high))
    return math.inf if math.isnan(largest) else largest


def _floats(given: object) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        if given.is_floating_point() and given.numel() and not given.is_sparse:
            yield given
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _floats(one)


def _own_halves(patient: Patient) -> list[torch.dtype]:
    return [one.dtype for one in patient.model.parameters() if one.dtype in HALVES]


def _lost(patient: Patient, kind: torch.dtype) -> float:
    """Share of the gradient entries, zeros aside, that are below the least number of the format."""
    least = torch.finfo(kind).smallest_normal * torch.finfo(kind).eps
    sizes = [gradient.detach().abs() for gradient in patient.bench.gradients() if not gradient.is_sparse]
    there = sum(int((size > 0).sum()) for size in sizes)
    below = sum(int(((size > 0) & (size < least)).sum()) for size in sizes)
    return below / there if there else 0.0
