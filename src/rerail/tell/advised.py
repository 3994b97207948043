"""Advice in words: what to change, from what to what, why, what should be seen; and later, whether it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import fields, phrases

if TYPE_CHECKING:
    from rerail.tell.fields import Record


def advice(record: Record) -> str:
    """A record of kind `advice` in a sentence or two."""
    return _came(record) if "seen" in record else f"{change(record)} {expected(record)}"


def change(record: Record) -> str:
    """`Change the learning rate: 0.0003 to 0.0001, because ...`."""
    before, after = fields.text(record, "before", "as it is"), fields.text(record, "after", "unknown")
    why = fields.text(record, "why")
    return fields.sentence(f"change {fields.text(record, 'setting', 'unknown')}: {before} -> {after}") + (
        why and f" {fields.sentence(why)}"
    )


def expected(record: Record) -> str:
    """`If it helps, loss/mel falls within 500 ticks.`."""
    expect = fields.mapping(record, "expect")
    name, direction = phrases.signal(fields.text(expect, "signal")), fields.text(expect, "direction")
    return f"If it helps, {name} {direction} within {fields.count(fields.whole(expect, 'within'), 'tick')}."


def _came(record: Record) -> str:
    expect = fields.mapping(record, "expect")
    about = f"the advice of tick {fields.whole(record, 'of')} on {fields.text(record, 'code')}"
    name = phrases.signal(fields.text(expect, "signal"))
    before, now = (fields.figure(record.get(one)) for one in ("before", "now"))
    if record.get("seen") is None:
        return f"Of {about}: {name} was not read, so nothing is known."
    verdict = "what it expects is seen" if record.get("seen") is True else "what it expects is not seen"
    return f"Of {about}: {verdict} ({name} {before} then, {now} now)."
