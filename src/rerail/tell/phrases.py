"""The parts of sentences about a run: what a finding saw, what a remedy changes, what acting did, what came of it.

Each takes a journal record or a part of one. An unknown code or knob still gives a sensible phrase.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rerail.tell import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from rerail.tell.fields import Record

SHOWN = 4  # numbers of one finding; a whole network of NaN would fill a page
MOVES = {  # what a verdict asks for
    "COMMIT": "apply the update",
    "SKIP": "skip the update",
    "REWIND": "go back to the last healthy snapshot",
    "HALT": "stop the run",
}
MEANINGS = {  # why a finding matters
    "nonfinite.input": "The data itself holds numbers that are not finite; nothing computed from them can be finite.",
    "gradient.zero": "Every number is finite, yet nothing is learned: the loss does not depend on the weights.",
    "loss.outlier": "One batch gave a loss far outside anything seen before; its update would be as far off.",
    "scale.overflow": "Half precision overflowed under the loss scale. That is how a dynamic scale finds its size.",
    "nonfinite.loss": "A loss that is no finite number has no useful gradient; its update would turn weights into NaN.",
    "nonfinite.gradient": "The update from this gradient would turn weights into NaN, however healthy the loss looks.",
    "nonfinite.weights": "The weights are already damaged: every later step would be too. Only an older state helps.",
    "loss.spike": "The loss left its usual range and stayed out; going on from such weights often ends in divergence.",
    "gradient.explosion": "The gradient is far larger than usual; a step along it would throw the weights far away.",
}
_SEEN: dict[str, Callable[[str], str]] = {  # signal -> what was seen of it
    "nonfinite.input": lambda _: "the batch holds numbers that are not finite",
    "gradient.zero": lambda _: "the whole gradient is exactly zero",
    "loss.outlier": lambda signal: f"{signal} jumped far beyond anything seen before",
    "scale.overflow": lambda _: "the scaled gradient overflowed",
    "nonfinite.loss": lambda signal: f"{signal} is not finite",
    "nonfinite.gradient": lambda signal: f"the gradient{_of_module(signal)} is not finite",
    "nonfinite.weights": lambda signal: f"the weights{_of_module(signal)} are not finite",
    "loss.spike": lambda signal: f"{signal} jumped far above its usual range",
    "gradient.explosion": lambda signal: f"the gradient{_of_module(signal)} grew far above its usual range",
}


def finding(record: Record) -> str:
    """What one finding saw: `loss/energy is not finite (inf)`."""
    code, signal = fields.text(record, "code", "unnamed finding"), fields.text(record, "signal", "the run")
    seen = _SEEN[code](signal) if code in _SEEN else f"{code} was found in {signal}"
    numbers = evidence(record)
    return f"{seen} ({numbers})" if numbers else seen


def cause(record: Record) -> str:
    """A cause in a sentence: `data: samples a, b; batch rows hold numbers that are not finite`."""
    kind = fields.text(record, "cause") or fields.text(record, "kind", "unknown").lower().replace("_", " ")
    made = fields.mapping(record, "operation")
    parts = [_KINDS.get(kind, kind)]
    if component := fields.text(record, "component"):
        parts.append(f"component {component}")
    if samples := fields.sequence(record, "samples"):
        parts.append(f"samples {fields.listed(samples)}")
    elif rows := fields.sequence(record, "rows"):
        parts.append(f"rows {fields.listed(rows)}")
    if where := _made(made):
        parts.append(where)
    if why := fields.sequence(record, "why"):
        parts.append(fields.plain(why[0]))
    return "; ".join(parts)


def _made(made: Record) -> str:
    """Where the first number that is not finite came from; empty where nothing is known."""
    name, origin = fields.text(made, "name"), fields.text(made, "origin")
    if origin == "batch":
        return "it came in with the batch"
    if origin == "parameter":
        return f"it came from the parameter {fields.text(made, 'module')}"
    if not name:
        return ""
    node, line = fields.text(made, "node"), fields.text(made, "line")
    place = f" in the backward pass ({node})" if node else ""
    return f"first made by {name}{place}" + (f" at {line}" if line else "")


_KINDS = {  # how a person would call it
    "data": "bad data",
    "toxic": "sound rows that these weights cannot take",
    "weights": "poisoned weights",
    "optimizer": "poisoned optimizer state",
    "step size": "a step that is too large",
    "precision": "half precision",
    "code": "a formula at its edge",
    "compiler": "the compiler",
    "transient": "a passing fault outside the step",
    "unknown": "cause unknown",
}


def trial(record: Record) -> str:
    """What a replay changed and what it gave: `without rows 3: healthy`."""
    changed = fields.mapping(record, "changed")
    what = ", ".join(_changed(name, value) for name, value in changed.items()) or "nothing changed"
    ended = "healthy" if record.get("healthy") is True else "fails"
    return f"{what}: {fields.text(record, 'error') or ended}"


def _changed(name: str, value: object) -> str:
    if name == "rows" and isinstance(value, list | tuple):
        return f"rows {fields.listed(value, 16)} alone"
    words = {
        ("batch", "OTHER"): "the last healthy batch",
        ("batch", "BOTH"): "beside the last healthy batch",
        ("weights", "OLDER"): "weights of the last healthy snapshot",
        ("weights", "OLDEST"): "the oldest weights kept",
        ("optimizer", "OLDER"): "optimizer of the last healthy snapshot",
        ("optimizer", "OLDEST"): "the oldest optimizer state kept",
        ("optimizer", "FRESH"): "an optimizer without memory",
        ("precision", "FP32"): "autocast off",
        ("precision", "WIDE"): "single precision throughout",
    }
    plain_words = {
        "traced": "watched operation by operation",
        "commit": "one update, and the batch again",
        "window": "every batch since the last healthy snapshot",
        "recent": "from the newest snapshot",
        "again": "once more",
        "other_seed": "another seed",
    }
    shown = fields.plain(value)
    named = {
        "without": f"without {shown}",
        "lr_scale": f"learning rate x{fields.figure(value)}",
        "clip_norm": f"gradient clipped at {fields.figure(value)}",
    }
    return words.get((name, shown)) or plain_words.get(name) or named.get(name) or f"{name} {shown}"


def evidence(record: Record) -> str:
    """The numbers behind a finding: its own value bare and first, the others by name."""
    given = fields.mapping(record, "evidence")
    own = {fields.text(record, "signal"), "value"}
    first = [fields.figure(value) for name, value in given.items() if name in own]
    rest = [f"{fields.plain(name)} {fields.figure(value)}" for name, value in given.items() if name not in own]
    shown = first + rest
    return ", ".join(shown) if len(shown) <= SHOWN else f"{', '.join(shown[:SHOWN])} and {len(shown) - SHOWN} more"


def meaning(code: str) -> str:
    """Why a finding of this code matters; empty for an unknown code."""
    return MEANINGS.get(code, "")


def remedy(record: Record) -> str:
    """What was decided: `skip the update; learning rate x0.1 for 40 ticks, then back over 40`."""
    changed = knobs(fields.mapping(record, "knobs"))
    return "; ".join(part for part in (move(record), f"{changed}{_dose(record)}" if changed else "") if part)


def move(record: Record) -> str:
    """The move of a record in words; an unknown one stands as it is."""
    name = fields.text(record, "move")
    return MOVES.get(name, name)


def knobs(values: Record) -> str:
    """The knobs that are not neutral: `learning rate x0.1, gradient norm clipped at 0.5`; empty when all are."""
    parts = [_knob(name, value) for name, value in values.items() if name != "weights" and not is_neutral(name, value)]
    weights = fields.mapping(values, "weights").items()
    parts += [f"weight of {fields.plain(name)} x{fields.figure(value)}" for name, value in weights]
    return ", ".join(parts)


def is_neutral(name: str, value: object) -> bool:
    """Whether a knob (other than the weights) changes nothing."""
    return {"lr_scale": 1.0, "clip_norm": math.inf}.get(name, math.nan) == fields.number(value) or value in (
        "as_run",
        "AS_RUN",
    )


def done(did: Record) -> str:
    """What acting did: the way from step to step, the batch, the batches trained again."""
    before, after = fields.whole(did, "step_before"), fields.whole(did, "step_after")
    text = {
        "SKIP": f"the update was skipped; the weights are still those of step {after}",
        "REWIND": f"went back from step {before} to step {after}",
        "HALT": f"the run was stopped at step {after}",
        "COMMIT": f"the update was applied (step {after})",
    }.get(fields.text(did, "move"), f"step {before} became step {after}")
    return "; ".join(part for part in (text, _batch(did), _set_aside(did), _again(did)) if part)


def effect(outcome: Record) -> str:
    """What came of an intervention: `recovered after 40 ticks (loss/mel 1.02 before, 0.98 now)`."""
    if outcome.get("recovered", False) is None:
        return f"after {fields.count(fields.whole(outcome, 'after'), 'tick')} the run goes on; nothing to compare with"
    verdict = "recovered" if outcome.get("recovered") is True else "not recovered"
    numbers = ", ".join(f"{name} {old} before, {new} now" for name, old, new in compared(outcome))
    return f"{verdict} after {fields.count(fields.whole(outcome, 'after'), 'tick')}" + (numbers and f" ({numbers})")


def compared(outcome: Record) -> list[tuple[str, str, str]]:
    """(signal, median before, median now) of an outcome, as text; a missing side is `unknown`."""
    before, now = fields.mapping(outcome, "before"), fields.mapping(outcome, "now")
    return [
        (fields.plain(name), fields.figure(before.get(name, "unknown")), fields.figure(now.get(name, "unknown")))
        for name in dict.fromkeys([*before, *now])
    ]


def weighed(size: float) -> str:
    """A size in bytes in the unit that a person would choose."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{fields.figure(size / power)} {unit}"
    return f"{fields.figure(size)} bytes"


def _of_module(signal: str) -> str:
    """` of decoder` for `grad/norm/decoder`; nothing for the whole model."""
    name = signal.split("/", 2)[2:]
    return f" of {name[0]}" if name else ""


def _dose(record: Record) -> str:
    hold, ramp = fields.whole(record, "hold"), fields.whole(record, "ramp")
    held = f" for {fields.count(hold, 'tick')}" if hold else ""
    return held + (f", then back over {ramp}" if ramp else "")


def _knob(name: str, value: object) -> str:
    words = {"lr_scale": "learning rate x", "clip_norm": "gradient norm clipped at ", "precision": "computed in "}
    return words.get(name, f"{fields.plain(name)} ") + fields.figure(value)


def _batch(did: Record) -> str:
    ids = fields.sequence(did, "ids")
    return f"batch of {listed}" if (listed := fields.listed(ids)) else ""


def _set_aside(did: Record) -> str:
    ids = fields.sequence(did, "dropped")
    return f"{listed} left out, the rest of the batch tried again" if (listed := fields.listed(ids)) else ""


def _again(did: Record) -> str:
    again = fields.whole(did, "again")
    lost = fields.whole(did, "lost")
    parts = [f"{fields.count(again, 'batch')} trained again"] if again else []
    return ", ".join([*parts, f"{fields.count(lost, 'batch')} no longer kept"] if lost else parts)
