"""Causes of what has lasted for some steps while every number was finite: a changed setting, a gradient cut short."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.failure import Failure
from rerail.core.knobs import Precision
from rerail.core.trial import Age, Swap, Trial, Which

CUT = 45  # ticks after which a branch that is cut off ends the run: its weights stand still, or decay
PAIRS, WORSE, CLEAR = 10, 0.05, 4.0  # batches, share of the loss, standard errors: a changed setting does harm

Inquiry = Generator[Swap, Trial, Cause]


def changed_setting(failure: Failure) -> Inquiry:
    """Train the batches since the change again, with what is set now and with what was; compare them in pairs."""
    case = failure.case
    then, now = (yield Swap(window=True, held=case.held)), (yield Swap(window=True, held=case.pressed))
    before, after = _losses(then), _losses(now)
    worse = [one - other for one, other in zip(after, before, strict=False)]
    if not then.healthy or len(worse) < PAIRS or not _clearly(worse, fmean(before)):
        return failure.level("settings were changed, and on the same batches the loss is no worse for it")
    return failure.changed(
        f"on the same batches the loss ends {fmean(worse) / abs(fmean(before)):.0%} higher than without"
    )


def _losses(trial: Trial) -> list[float]:
    return [one.values.get("loss/total", math.nan) for one in trial.readings[-PAIRS:]]


def _clearly(worse: Sequence[float], usual: float) -> bool:
    return fmean(worse) > max(WORSE * abs(usual), CLEAR * stdev(worse) / math.sqrt(len(worse)))


def cut_off(failure: Failure, again: Trial) -> Inquiry:
    """Ask why a gradient reaches fewer parameters. A part of the model that is not run any more is another stage."""
    case = failure.case
    if (yield Swap(precision=Precision.WIDE)).healthy:
        return failure.cause(Kind.PRECISION, "in single precision the gradient reaches these parameters again")
    if (yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)).healthy:
        why = (
            "on older weights the gradient reaches these parameters: on the present ones units are dead, or at a limit"
        )
        return replace(failure.cause(Kind.WEIGHTS, why, step=case.step), goes_on=True)
    if not case.other or (yield Swap(batch=Which.OTHER)).healthy:
        return failure.level("with another batch the gradient reaches these parameters")
    if not any(one.values.get("path/cut", 0.0) for one in again.readings):
        return failure.level("these modules are not run any more, or without gradients, or weigh nothing in the loss")
    lost = failure.case.reading.values["grad/lost"]
    why = f"{lost:.0f} parameter tensors that had a gradient have none, with any batch, on older weights too: cut off"
    meant = "if that is meant, freeze them: requires_grad_(False), or torch.no_grad round their forward pass"
    cause = failure.cause(Kind.CODE, why, meant)
    return replace(cause, certain=case.lasted >= CUT and not case.several, goes_on=True)
