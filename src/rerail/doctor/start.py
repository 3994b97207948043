"""Is the loss, before training, what a model that knows nothing must have?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from rerail.act import rows
from rerail.doctor.check import Check, failed, found, skipped
from rerail.doctor.patient import Patient

NAME = "loss at the start"
ABOVE = 1.0  # nats; logits of standard deviation s cost about s^2 / 2 of them
PAIRED = 3.0  # times a guess; a temperature of 0.07 spreads the cosines of untrained rows by 14, which is no fault
BELOW = 0.2  # share of the labels' entropy that no model undercuts which has not seen them
MOST = 32  # calls that are looked at
TOO_HIGH = (
    "the untrained model is sure of itself and wrong: make the last layer's initial weights smaller, divide logits by "
    "their scale, check the order of the classes' dimension"
)
TOO_LOW = "labels leak into the input, or the weights are trained already (then this is no fault)"
NOT_FINITE = "no step can be taken: look at the inputs, and at logarithms, roots and divisions in the loss"


@dataclass(frozen=True, slots=True)
class _Call:
    """A cross-entropy: its mean without weights, a guess's, the labels' entropy, and the most without fault; nats."""

    kind: str
    value: float
    expected: float
    entropy: float
    most: float


def start(patient: Patient) -> Check:
    """Compare every cross-entropy of the forward pass with ln(classes), that of a guess.

    The calls of torch's own functions are listened to, so weights and label smoothing do not count.
    """
    patient.fresh()
    with torch.compiler.set_stance("force_eager"), _Heard(rows.count(patient.batch)) as heard:
        reading = patient.backward()
    total = reading.values["loss/total"]
    if not math.isfinite(total):
        bad = [name for name, value in reading.values.items() if name.startswith("loss/") and not math.isfinite(value)]
        return failed(NAME, f"not finite: {', '.join(bad)}", NOT_FINITE, total=total)
    if patient.steps or any(one.state for one in patient.bench.parts.optimizers):
        return skipped(NAME, f"{total:.4g}; the run is trained already", total=total)
    if not heard.calls:
        return skipped(
            NAME, f"{total:.4g}; none of torch's cross-entropies is in it, so no value is known", total=total
        )
    return _judge(heard.calls, total)


def _judge(calls: Sequence[_Call], total: float) -> Check:
    high = max(calls, key=lambda call: call.value - call.most)
    low = min(calls, key=lambda call: call.value / max(call.entropy, 1e-9))
    worst = low if low.value < BELOW * low.entropy else high
    told = f"{worst.kind}: {worst.value:.3g}, a guess costs {worst.expected:.3g}"
    seen = {"total": total, "value": worst.value, "expected": worst.expected, "entropy": worst.entropy}
    if worst is low and low.value < BELOW * low.entropy:
        return failed(NAME, told, TOO_LOW, **seen)
    if not worst.value <= worst.most:
        return failed(NAME, told, TOO_HIGH, **seen)
    return found(NAME, told, **seen)


class _Heard(TorchFunctionMode):
    """Listens to the cross-entropies that are computed."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.calls: list[_Call] = []

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        measure = _MEASURES.get(func)
        if measure is not None and len(self.calls) < MOST:
            given = dict(zip(("input", "target"), args, strict=False)) | dict(kwargs)
            with torch.no_grad():
                self.calls += measure(given["input"].detach().float(), given["target"].detach(), given, self.count)
        return result


def _classes(logits: Tensor, target: Tensor, given: Mapping[str, Any], rows_of_batch: int) -> list[_Call]:
    return _of_classes(functional.log_softmax(logits, 1 if logits.dim() > 1 else 0), target, given, rows_of_batch)


def _of_classes(logs: Tensor, target: Tensor, given: Mapping[str, Any], rows_of_batch: int) -> list[_Call]:
    place = 1 if logs.dim() > 1 else 0
    classes = logs.shape[place]
    if target.is_floating_point():
        shares = target.float().movedim(place, -1).reshape(-1, classes).mean(0)
        value = float(-(target * logs).sum(place).mean())
    else:
        ignored = given.get("ignore_index", -100)
        kept = target[target != ignored]
        if not kept.numel():
            return []
        shares = torch.bincount(kept.flatten(), minlength=classes).float() / kept.numel()
        value = float(functional.nll_loss(logs, target, ignore_index=ignored))
    own = target.dim() == 1 and classes == len(target) == rows_of_batch
    paired = own and not target.is_floating_point() and torch.equal(target.cpu(), torch.arange(classes))
    kind = f"contrastive, each of {classes} rows against all" if paired else f"cross-entropy of {classes} classes"
    expected = math.log(classes)
    most = PAIRED * expected if paired else expected + ABOVE
    return [_Call(kind, value, expected, _entropy(shares), most)]


def _yes_no(logits: Tensor, target: Tensor, *_: object) -> list[_Call]:
    value = float(functional.binary_cross_entropy_with_logits(logits, target.float()))
    return [_Call("yes or no", value, math.log(2), _binary_entropy(target), math.log(2) + ABOVE)]


def _yes_no_chances(chances: Tensor, target: Tensor, *_: object) -> list[_Call]:
    value = float(functional.binary_cross_entropy(chances, target.float()))
    return [_Call("yes or no", value, math.log(2), _binary_entropy(target), math.log(2) + ABOVE)]


def _binary_entropy(target: Tensor) -> float:
    share = float(target.float().mean())
    return _entropy(torch.tensor([share, 1 - share]))


def _entropy(shares: Tensor) -> float:
    return float(-torch.special.xlogy(shares, shares).sum())


_MEASURES: Mapping[Callable[..., Any], Callable[..., list[_Call]]] = {
    functional.cross_entropy: _classes,
    functional.nll_loss: _of_classes,
    functional.binary_cross_entropy_with_logits: _yes_no,
    functional.binary_cross_entropy: _yes_no_chances,
}
