"""A cause in words: its kind, where the first bad number was made, what proves it, how it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record

KINDS = {  # how a person would call it
    "data": "bad data",
    "toxic": "sound rows that these weights cannot take",
    "weights": "poisoned weights",
    "optimizer": "poisoned optimizer state",
    "step size": "a step that is too large",
    "precision": "half precision",
    "code": "a formula at its edge",
    "compiler": "the compiler",
    "architecture": "the way the model is built or initialised",
    "level": "no fault, a new level of the loss",
    "transient": "a passing fault outside the step",
    "unknown": "cause unknown",
}
_FAULT = "fault"  # code of which no operation is known
_MENDED = {  # what a person can do where nothing is known of the operation
    "data": "Mend these samples, or take them out of the data.",
    "toxic": "The samples are sound: bound what the model computes from them, or train more gently.",
    "weights": "Look for what writes to the weights outside the step: averaging, swapping, loading, a hook.",
    "optimizer": "Look for what changed the optimizer outside the step: loaded or cast state, eps, betas.",
    "step size": "Lower the learning rate, warm up longer or clip the gradient; see whether the schedule counts steps.",
    "precision": "Keep this part in single precision, or use bfloat16.",
    "code": "Mend the formula: keep its arguments off the edge.",
    "fault": "Mend the code of the model, of its loss or of what makes its batches.",
    "architecture": "Mend the initialisation, the normalisation or the kind of unit; no setting of the run cures it.",
    "compiler": "Leave this part uncompiled, or try another version of PyTorch.",
    "level": "There is nothing to mend, where a change of the loss at this step was meant.",
    "transient": "There is nothing to mend in the step; where it comes again, test the device and its memory.",
}


def kind(record: Record) -> str:
    """The kind of a cause as a person would call it."""
    return "a fault in the code" if (name := _name(record)) == _FAULT else KINDS.get(name, name)


def cause(record: Record) -> str:
    """A cause in a line: `bad data; component mel; samples a, b; it came in with the batch; ...`."""
    parts = [kind(record), _component(record), _samples(record), made(record), *reasons(record)[:1]]
    return "; ".join(part for part in parts if part)


def named(record: Record) -> str:
    """The cause in a few words: `bad data (component mel, samples a, b)`."""
    about = ", ".join(part for part in (_component(record), _samples(record)) if part)
    return f"{kind(record)} ({about})" if about else kind(record)


def facts(record: Record) -> list[tuple[str, str]]:
    """What is known of a cause as (name, value), without what is not."""
    operation = fields.mapping(record, "operation")
    given = [
        ("Kind", kind(record)),
        ("Loss component", fields.text(record, "component")),
        ("Where it began", "" if (operated := _operation(operation)) else made(record)),
        ("Operation", operated),
        ("Source line", fields.text(operation, "line")),
        ("Module", operated and fields.text(operation, "module")),
        ("Range of its inputs", _inputs(operation)),
        ("Rows of the batch", fields.spans(fields.sequence(record, "rows"))),
        ("Samples", fields.listed(fields.sequence(record, "samples"), 32)),
        ("Bad since step", fields.text(record, "step") if fields.whole(record, "step") > 0 else ""),
    ]
    return [(name, value) for name, value in given if value]


def reasons(record: Record) -> list[str]:
    """The sentences of the pattern; of an unknown cause the first alone, since the rest repeats the trials."""
    why = [fields.plain(one) for one in fields.sequence(record, "why")]
    return why[:1] if _name(record) == "unknown" else why


def made(record: Record) -> str:
    """Where the first number that is not finite came from; empty where nothing is known."""
    operation = fields.mapping(record, "operation")
    origin = fields.text(operation, "origin")
    if origin == "batch":
        return "it came in with the batch"
    if origin == "parameter":
        return f"it came from the parameter {fields.text(operation, 'module')}"
    line = fields.text(operation, "line")
    name = _operation(operation)
    return name and f"first made by {name}" + (f" at {line}" if line else "")


def exact(record: Record, trials: Sequence[Record] = ()) -> str:
    """Whether the step replays to the very same numbers; empty where the cause is that it does not."""
    if _name(record) == "transient":
        return ""
    if all(one.get("exact") is not False for one in (record, *trials)):
        return "Replayed with nothing changed, the step gave the very same numbers."
    return (
        "Replayed with nothing changed, the step did not give the very same numbers (a random or nondeterministic "
        "part), so this proof stands on less."
    )


def explanation(record: Record) -> str:
    """Why the operation gives such numbers; empty where nothing is known of it."""
    return fields.sentence(fields.text(fields.mapping(record, "explanation"), "why"))


def fix(record: Record) -> str:
    """How it is mended: what is known of the operation, else of the kind; empty for an unknown cause."""
    known = fields.sentence(fields.text(fields.mapping(record, "explanation"), "fix"))
    return known or _MENDED.get(_name(record), "")


def _name(record: Record) -> str:
    """The kind as `core` has it: in a journal record the field `cause`, in a dumped cause the member's name, `kind`."""
    dumped = fields.text(record, "kind", "unknown")
    name = fields.text(record, "cause") or ("unknown" if dumped == "cause" else dumped.lower().replace("_", " "))
    return _FAULT if name == "code" and not fields.mapping(record, "operation") else name


def _component(record: Record) -> str:
    name = fields.text(record, "component")
    return name and f"component {name}"


def _samples(record: Record) -> str:
    """The samples to blame, else their rows."""
    samples, rows = fields.sequence(record, "samples"), fields.sequence(record, "rows")
    if samples:
        return f"{_plural('sample', samples)} {fields.listed(samples)}"
    return f"{_plural('row', rows)} {fields.spans(rows)}" if rows else ""


def _plural(noun: str, items: Sequence[object]) -> str:
    return noun if len(items) == 1 else f"{noun}s"


def _operation(operation: Record) -> str:
    """`div in the backward pass (SqrtBackward0)`; empty where no operation made the number."""
    name, node = fields.text(operation, "name"), fields.text(operation, "node")
    return name + (f" in the backward pass ({node})" if name and node else "")


def _inputs(operation: Record) -> str:
    if not fields.text(operation, "name"):
        return ""
    low, high = fields.figure(operation.get("low")), fields.figure(operation.get("high"))
    stored = fields.text(operation, "dtype")
    return f"{low} to {high}" + (f", result in {stored}" if stored else "")
