"""Can it learn one batch by heart, and which learning rates does it bear?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from rerail.doctor.check import Check, absent, failed, found, skipped
from rerail.doctor.patient import Patient

OVERFIT, RANGE = "one batch by heart", "learning-rate range"
FALL = 0.05  # share of the first loss that some dozens of steps on one batch must gain
FEWEST, STEPS, SWEEP = 8, 40, 40
LAST = 3  # steps whose middle loss ends a run: dropout makes single ones uncertain
WIDE, NARROW = 1e3, 1e2  # above and below the run's own rate; narrow where there are fewer than ENOUGH steps
ENOUGH = 24
SHARE, LITTLE = 0.1, 0.01
TINY = 1e-12


def overfit(patient: Patient, steps: int) -> Check:
    """Train on the one batch, at the run's rate and at ten times that; the loss must fall."""
    steps = min(STEPS, steps // 2)
    if steps < FEWEST:
        return absent(OVERFIT, f"no time for {2 * FEWEST} steps", "give more seconds")
    own, ten = (_fall(_train(patient, [scale] * steps)) for scale in (1.0, 10.0))
    told = f"in {steps} steps the loss {_words(own)}, at 10 times the rate it {_words(ten)}"
    seen = {"steps": steps, "fall": own, "fall at 10": ten, "lr": max(patient.rates)}
    if own >= FALL:
        return found(OVERFIT, told, **seen)
    if ten >= FALL:
        do = f"the rate is too low: ten times {max(patient.rates):.3g} learns; see the learning-rate range"
    elif own < 0:
        do = "the loss rises: a lower rate (see the learning-rate range), or the sign of a loss component"
    else:
        do = "nothing is learnt at either rate: do targets match inputs, is anything detached, are weights frozen?"
    return failed(OVERFIT, told, do, **seen)


def rate_range(patient: Patient, steps: int) -> Check:
    """Raise the rate from step to step, from far below the run's own to far above it, until the loss diverges.

    After Smith 2015 (arXiv:1506.01186), on one batch. Suggested is from the rate at which a tenth of the best gain was
    reached to a tenth of that of the lowest loss: a rate that is held bears less than one that is passed.
    """
    steps, own = min(SWEEP, steps), max(patient.rates)
    if steps < FEWEST:
        return absent(RANGE, f"no time for {FEWEST} steps", "give more seconds")
    if not own > 0:
        return failed(RANGE, f"the rate is {own:.3g}", "give a learning rate above 0")
    reach = WIDE if steps >= ENOUGH else NARROW
    scales = [reach ** (2 * number / (steps - 1) - 1) for number in range(steps)]
    return _told(_train(patient, scales, stop=True), [own * scale for scale in scales], own)


def _told(losses: Sequence[float], rates: Sequence[float], own: float) -> Check:
    if not math.isfinite(losses[0]):
        return failed(RANGE, "loss or gradient is not finite before any step", "mend this first", lr=own)
    worst = rates[len(losses) - 2] if _diverged(losses) else math.inf
    low, high = _low(losses, rates), _high(losses, rates)
    low = min(low, high)  # a narrow sweep's steps are coarse
    if own >= worst:
        told = f"the run's rate is {own:.2g}, and the loss diverges from {worst:.2g} on"
        return failed(RANGE, told, f"take a rate of about {high:.1g} or less", lr=own, diverges=worst)
    if not losses[0] - min(losses) > LITTLE * abs(losses[0]):
        told = f"no rate from {rates[0]:.1g} to {rates[-1]:.1g} lowers the loss clearly"
        return skipped(RANGE, told, lr=own, diverges=worst)
    beyond = f", diverges from {worst:.2g} on" if worst < math.inf else ""
    told = f"{low:.1g} to {high:.1g}{beyond}; the run's is {own:.2g}"
    return found(RANGE, told, low=low, high=high, lr=own, diverges=worst, steps=len(rates))


def _train(patient: Patient, scales: Sequence[float], *, stop: bool = False) -> list[float]:
    """Return the loss before each step and after the last; it ends with inf where one or its gradient is not finite."""
    patient.fresh()
    losses: list[float] = []
    for scale in scales:
        reading = patient.backward()
        losses.append(reading.values["loss/total"])
        if not math.isfinite(losses[-1] + reading.values["grad/norm"]):
            return [*losses[:-1], math.inf]
        if stop and _diverged(losses):
            return losses
        patient.learn(reading, scale)
    return [*losses, patient.backward().values["loss/total"]]


def _fall(losses: Sequence[float]) -> float:
    """Share of the first loss that is gone at the end; -inf where the run did not stay finite."""
    if not all(map(math.isfinite, losses)):
        return -math.inf
    return (losses[0] - median(losses[-LAST:])) / max(abs(losses[0]), TINY)


def _diverged(losses: Sequence[float]) -> bool:
    """Say whether the last loss is past all that was gained, and half the first loss or twice the gain more."""
    if not math.isfinite(losses[-1]):
        return True
    gained = losses[0] - min(losses)
    return losses[-1] > losses[0] + max(abs(losses[0]) / 2, 2 * gained) and len(losses) > 1


def _low(losses: Sequence[float], rates: Sequence[float]) -> float:
    """The rate after which a tenth of the best gain was reached."""
    enough = losses[0] - SHARE * (losses[0] - min(losses))
    reached = next(number for number, loss in enumerate(losses) if loss <= enough)
    return rates[max(0, reached - 1)]


def _high(losses: Sequence[float], rates: Sequence[float]) -> float:
    """A tenth of the rate after which the loss was lowest."""
    return SHARE * rates[max(0, losses.index(min(losses)) - 1)]


def _words(fall: float) -> str:
    if not math.isfinite(fall):
        return "is no longer finite"
    return f"falls by {fall:.0%}" if fall >= 0 else f"rises by {-fall:.0%}"
