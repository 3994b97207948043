"""The examination: every check in turn, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from rerail.doctor.check import Check, failed, skipped
from rerail.doctor.halves import headroom, unscaled_first
from rerail.doctor.inputs import inputs
from rerail.doctor.learning import overfit, rate_range
from rerail.doctor.modes import evaluation, independence
from rerail.doctor.patient import Patient, borrowed, timed
from rerail.doctor.repeat import repeats
from rerail.doctor.round_trip import round_trip
from rerail.doctor.start import start
from rerail.doctor.wiring import flow, gradients, moves, once, ownership
from rerail.guard import Guard

Watch = Callable[[str, int, int], None]

STILL = {"the batch": inputs, "optimizer has all parameters": ownership, "each parameter in one group": once}
PASSES = {
    "the same step twice": repeats,
    "loss at the start": start,
    "gradients arrive": gradients,
    "a step moves them": moves,
    "gradient flow": flow,
    "half-precision headroom": headroom,
    "unscaled before clipping": unscaled_first,
    "eval mode": evaluation,
    "rows do not mix": independence,
    "checkpoint round trip": round_trip,
}
DEAR = {"one batch by heart": (overfit, 2 / 3), "learning-rate range": (rate_range, 1.0)}  # share of the time left
NAMES = (*STILL, *PASSES, *DEAR)


def examine(
    guard: Guard, batch: object, *, seconds: float = 60.0, draws_in_eval: bool = False, watch: Watch | None = None
) -> tuple[Check, ...]:
    """Examine a run before it trains, on one batch, within about so many `seconds`.

    The run is left bitwise as it was: weights, buffers, optimizers, schedule, generators, gradients, modes. Only what
    the loss keeps outside of all `state=[...]` is beyond reach, and the check of the same step twice finds it.
    `draws_in_eval` says that eval mode draws at random by design (a diffusion loss, Tacotron2's prenet). `watch` is
    told the name, number and count of the check that begins.

    Raises:
        ValueError: for a guard without `losses`, or a time below 0.
    """
    if not seconds >= 0:
        raise ValueError(f"examine() got seconds={seconds}; give 0 or more")
    until = time.perf_counter() + seconds
    checks: list[Check] = []
    with borrowed(guard, batch, draws_in_eval=draws_in_eval) as patient:
        for check in _all(patient, until, watch or _nobody):
            checks.append(check)
            patient.clear()
    return tuple(checks)


def _all(patient: Patient, until: float, watch: Watch) -> Iterator[Check]:
    for name, check in STILL.items():
        watch(name, NAMES.index(name), len(NAMES))
        yield _told(name, partial(check, patient))
    watch("the same step twice", NAMES.index("the same step twice"), len(NAMES))
    try:
        patient = timed(patient)
    except Exception as error:  # noqa: BLE001 (the user's code failed: that is what the first check tells)
        yield _broken("the same step twice", error)
        yield from (skipped(name, "the forward and backward pass fails") for name in NAMES[len(STILL) + 1 :])
        return
    for name, check in PASSES.items():
        watch(name, NAMES.index(name), len(NAMES))
        yield _told(name, partial(check, patient))
    for name, (dear, share) in DEAR.items():
        watch(name, NAMES.index(name), len(NAMES))
        steps = int(share * max(0.0, until - time.perf_counter()) / max(patient.seconds, 1e-6) / STEP)
        yield _told(name, partial(dear, patient, steps))


STEP = 1.3  # a step that is committed costs so many passes


def _told(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 (whatever the user's code raises under this condition: it is told)
        return _broken(name, error)


def _broken(name: str, error: Exception) -> Check:
    return failed(name, f"{type(error).__name__}: {error}", "this is the run's own code: mend it first")


def _nobody(name: str, number: int, count: int) -> None:
    """Watch nothing."""
