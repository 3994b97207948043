"""The parts of sentences about a run: what a finding saw, what a remedy changes, what acting did, what came of it.

Each takes a journal record or a part of one. An unknown code or knob still gives a sensible phrase.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rerail.core.remedy import FOREVER
from rerail.tell import fields, learning

if TYPE_CHECKING:
    from collections.abc import Callable

    from rerail.tell.fields import Record

_PRECISIONS = {
    "FP32": "autocast off",
    "WIDE": "computed in single precision throughout",
    "DOUBLE": "computed in double precision",
}
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
    numbers = evidence(record)
    return f"{seen(record)} ({numbers})" if numbers else seen(record)


def seen(record: Record) -> str:
    """What one finding saw, without its numbers."""
    code, about = fields.text(record, "code", "unnamed finding"), fields.text(record, "signal", "the run")
    return _SEEN[code](about) if code in _SEEN else learning.seen(code, about) or f"{code} was found in {about}"


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
    return learning.LEARNING[code].meaning if code in learning.LEARNING else MEANINGS.get(code, "")


def remedy(record: Record) -> str:
    """What was decided: `skip the update; learning rate x0.1 for 40 ticks, then back over 40`."""
    changed = knobs(fields.mapping(record, "knobs"))
    return "; ".join(part for part in (_deed(record), f"{changed}{_dose(record)}" if changed else "") if part)


def _deed(record: Record) -> str:
    """The move with what a proved remedy adds to it: rows left out, another try, an optimizer emptied."""
    rows = fields.sequence(record, "rows")
    if rows:
        one = len(rows) == 1
        kept_out = f" and put {'its sample' if one else 'their samples'} in quarantine"
        out = f"leave out {'row' if one else 'rows'} {fields.spans(rows)}"
        return out + (kept_out if record.get("quarantine") is True else "")
    if record.get("again") is True:
        return "try the same batch again"
    return move(record) + (" and empty the optimizer's memory" if record.get("reset") is True else "")


def move(record: Record) -> str:
    """The move of a record in words; an unknown one stands as it is."""
    name = fields.text(record, "move")
    return MOVES.get(name, name)


def knobs(values: Record) -> str:
    """The knobs that are not neutral: `learning rate x0.1, gradient norm clipped at 0.5`; empty when all are."""
    single = {name: value for name, value in values.items() if name not in ("weights", "settings")}
    parts = [_knob(name, value) for name, value in single.items() if not is_neutral(name, value)]
    weights, settings = fields.mapping(values, "weights"), fields.mapping(values, "settings")
    parts += [f"weight of {fields.plain(name)} x{fields.figure(value)}" for name, value in weights.items()]
    parts += [f"{setting(name)} held at {fields.figure(value)}" for name, value in settings.items()]
    return ", ".join(parts)


def is_neutral(name: str, value: object) -> bool:
    """Whether a knob (other than weights and settings) changes nothing."""
    return {"lr_scale": 1.0, "lr_standing": 1.0, "clip_norm": math.inf, "lr_most": math.inf}.get(
        name, math.nan
    ) == fields.number(value) or value in (
        "as_run",
        "AS_RUN",
    )


def setting(name: str) -> str:
    """Name a setting of the optimizer: `weight_decay/0` is that of its first parameter group."""
    shown, _, group = fields.plain(name).rpartition("/")
    return shown if group == "0" else f"{shown} of parameter group {group}"


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
        (signal(name), fields.figure(before.get(name, "unknown")), fields.figure(now.get(name, "unknown")))
        for name in dict.fromkeys([*before, *now])
    ]


def signal(name: str) -> str:
    """A signal as a person would call it."""
    return {"grad/norm": "gradient norm", "time/step": "seconds a step"}.get(name) or fields.plain(name)


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
    if hold >= FOREVER:
        return " until it is moved again"
    return held + (f", then back over {ramp}" if ramp else "")


def _knob(name: str, value: object) -> str:
    words = {
        "lr_scale": "learning rate x",
        "lr_standing": "schedule's rate x",
        "lr_most": "learning rate at most ",
        "clip_norm": "gradient norm clipped at ",
        "precision": "computed in ",
    }
    return _PRECISIONS.get(str(value)) or words.get(name, f"{fields.plain(name)} ") + fields.figure(value)


def _batch(did: Record) -> str:
    ids = fields.sequence(did, "ids")
    return f"batch of {listed}" if (listed := fields.listed(ids)) else ""


def _set_aside(did: Record) -> str:
    """The samples left out, or their rows where samples have no names."""
    ids, dropped, rows = (fields.sequence(did, name) for name in ("ids", "dropped", "rows"))
    out = fields.listed(dropped) or (fields.spans(rows) and f"rows {fields.spans(rows)}")
    if not out:
        return "the same batch tried again" if did.get("retried") is True else ""
    rest = len(ids) > max(len(dropped), len(rows)) or not ids
    return f"{out} left out" + (", the rest of the batch tried again" if rest else "")


def _again(did: Record) -> str:
    again = fields.whole(did, "again")
    lost = fields.whole(did, "lost")
    parts = [f"{fields.count(again, 'batch')} trained again"] if again else []
    return ", ".join([*parts, f"{fields.count(lost, 'batch')} no longer kept"] if lost else parts)
