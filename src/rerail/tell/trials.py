"""A trial in words: what a replay changed, how it ended, the numbers it was judged by, what it cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rerail.tell import fields, phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record

SHOWN = 8  # numbers of one trial
_BATCHES = {"OTHER": "the last healthy batch", "BOTH": "the last healthy batch with this one's rows beside it"}
_AGES = {"OLDER": "of the last healthy snapshot", "OLDEST": "of the oldest snapshot kept"}
_PRECISIONS = {"FP32": "autocast off", "WIDE": "single precision throughout", "DOUBLE": "double precision"}
_SWITCHES = {
    "other_seed": "another seed",
    "commit": "one update, then the batch again",
    "window": "every batch since the last healthy snapshot again",
    "recent": "from the newest snapshot",
    "traced": "watched operation by operation",
    "again": "nothing changed, a second time",
}
_STATE = ("weights", "optimizer")


def trial(record: Record) -> str:
    """A trial in a line: `rows 0-2, 4-11 alone: healthy (loss/mel 0.91, gradient norm 2.3)`."""
    values = judged(record)
    return f"{changed(record)}: {ended(record)}" + (f" ({values})" if values else "")


def changed(record: Record) -> str:
    """What a replay changed: `the last healthy batch, weights and optimizer of the last healthy snapshot`."""
    swap = fields.mapping(record, "changed")
    parts = [_batch(swap), *_state(swap)]
    done = {"batch", "rows", *_STATE}
    parts += [_change(name, value) for name, value in swap.items() if name not in done]
    return ", ".join(part for part in parts if part) or "nothing changed"


def ended(record: Record) -> str:
    """`healthy`, `fails`, or what the user's code raised."""
    error = fields.text(record, "error")
    return f"could not run: {error}" if error else "healthy" if record.get("healthy") is True else "fails"


def judged(record: Record) -> str:
    """The numbers a replay was judged by: losses, the gradient norm, and what else is not finite."""
    values = fields.numbers(record, "values")
    told = [name for name in values if name.startswith("loss/") or name == "grad/norm"]
    told += [name for name, value in values.items() if name not in told and not math.isfinite(value)]
    shown = [f"{phrases.signal(name)} {fields.figure(values[name])}" for name in told[:SHOWN]]
    return ", ".join(shown) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


def cost(trials: Sequence[Record]) -> str:
    """`6 replays, 14 forward and backward passes`."""
    passes = sum(fields.whole(one, "cost") for one in trials)
    both = "forward and backward pass"
    return f"{fields.count(len(trials), 'replay')}, {fields.count(passes, both)}"


def _batch(swap: Record) -> str:
    which = fields.text(swap, "batch")
    rows = _rows(fields.sequence(swap, "rows"))
    if which == "BOTH" and rows:
        return f"{rows} beside the last healthy batch"
    return f"{rows} alone" if rows else _BATCHES.get(which, which)


def _rows(rows: Sequence[object]) -> str:
    """`row 3`, `rows 0-2, 4-11`, `row 6 twice`: a single row is doubled where the code refuses a batch of one."""
    if not rows:
        return ""
    single = list(dict.fromkeys(rows))
    twice = " twice" if len(rows) == 2 * len(single) else ""
    return f"{'row' if len(single) == 1 else 'rows'} {fields.spans(single)}{twice}"


def _state(swap: Record) -> list[str]:
    """Weights and optimizer in one phrase where they are of one age."""
    ages = {name: fields.text(swap, name) for name in _STATE if name in swap}
    if len(ages) == len(_STATE) and len(set(ages.values())) == 1:
        return [f"weights and optimizer {_aged(ages['weights'])}"]
    return [_part(name, age) for name, age in ages.items()]


def _part(name: str, age: str) -> str:
    return "an optimizer without memory" if (name, age) == ("optimizer", "FRESH") else f"{name} {_aged(age)}"


def _aged(age: str) -> str:
    return _AGES.get(age, age)


def _change(name: str, value: object) -> str:
    shown = fields.plain(value)
    if name == "held":
        return ", ".join(f"{phrases.setting(one)} held at {fields.figure(then)}" for one, then in value)  # type: ignore[attr-defined]
    if name == "scaled":
        return ", ".join(f"the loss {one} felt x{fields.figure(factor)}" for one, factor in value)  # type: ignore[attr-defined]
    if name == "rolled":
        return ", ".join(_rolled(one, places) for one, places in value)  # type: ignore[attr-defined]
    said = {
        "without": f"without the loss {shown}",
        "lr_scale": f"learning rate x{fields.figure(value)}",
        "lr_most": f"learning rate at most {fields.figure(value)}",
        "clip_norm": f"gradient norm clipped at {fields.figure(value)}",
        "precision": _PRECISIONS.get(shown, shown),
    }
    return said.get(name) or _SWITCHES.get(name) or f"{fields.plain(name)} {shown}"


def _rolled(column: str, places: int) -> str:
    return f"each row with the {column} of " + (f"row {-places:+d}" if places else "a row half the batch away")
