"""Causes that can be read off a run which looks alive and learns nothing: told with what was seen, without a replay."""

from __future__ import annotations

from rerail.core.cause.cause import Cause, Kind
from rerail.core.finding import Finding
from rerail.core.settings import LENGTHENS

_SHAPE = "it holds for every batch that was looked at, and from early on: the way the model is built or initialised"
_KINDS: dict[str, tuple[Kind, str]] = {
    "gradient.missing": (
        Kind.CODE,
        "parameters that are meant to be trained are left out of the loss or the optimizer",
    ),
    "units.dead": (Kind.ARCHITECTURE, _SHAPE),
    "units.saturated": (Kind.ARCHITECTURE, _SHAPE),
    "gradient.vanishing": (Kind.ARCHITECTURE, _SHAPE),
    "weights.wide": (
        Kind.ARCHITECTURE,
        "a layer makes its inputs far larger before anything is learned: the initialisation",
    ),
    "random.changed": (
        Kind.CODE,
        "dropout or noise was switched on or off between two steps, or a mode was not set back",
    ),
    "input.exhausted": (Kind.DATA, "no row of many batches in a row can be trained on: the loader gives nothing else"),
    "input.stopped": (Kind.DATA, "the loader gives the same batch for ever"),
    "input.constant": (Kind.DATA, "what the loader gives holds the same number throughout"),
    "input.twice": (Kind.DATA, "what the loader gives holds the same samples again and again"),
    "input.drift": (Kind.DATA, "what the loader gives is far from what it gave before"),
    "input.raised": (Kind.DATA, "with these rows the step raises an error, and without them it does not"),
    "input.unfit": (Kind.DATA, "rows like those that were proved to do harm: they are left out"),
    "input.far": (Kind.DATA, "rows a thousand times as large as anything before: they are left out"),
    "input.range": (Kind.DATA, "what the loader gives is far larger than anything it gave before"),
    "input.stuck": (Kind.DATA, "the loader gives the same batch again and again"),
    "scale.thrash": (Kind.PRECISION, "the loss scale does not find its place"),
}


def standing(finding: Finding, *, half: bool) -> Cause | None:
    """Return the cause that a told finding stands for, None where it can have several. Pure.

    `half` says whether the run computes in half precision: then a gradient that vanishes is one that underflows.
    """
    if finding.code == "optimizer.setting":
        name = finding.signal.removeprefix("setting/")
        kind = Kind.STEP_SIZE if name.startswith(LENGTHENS) else Kind.OPTIMIZER
        then, now = finding.evidence["before"], finding.evidence[finding.signal]
        return Cause(kind=kind, why=(f"{name} went from {then:.4g} to {now:.4g}, whatever comes of it",))
    if finding.code not in _KINDS:
        return None
    kind, why = _KINDS[finding.code]
    if half and finding.code == "gradient.vanishing":
        kind, why = Kind.PRECISION, "gradients are below what half precision can hold"
    return Cause(kind=kind, why=(why,))
