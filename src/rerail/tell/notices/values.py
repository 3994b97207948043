"""Journal records as the values that fill a notice's texts: codes, names and figures, in no language.

What is a code (`kind`, `move`, `found`) the catalogue puts into words. A value that is not known is empty, and the
sentence that needs it is left out. Only `PROSE` is English, and only English texts may use it.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rerail.core.remedy import FOREVER
from rerail.core.told import TOLD
from rerail.tell import causes, fields, phrases
from rerail.tell.story import Intervention

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rerail.tell.fields import Record

PROSE = frozenset({"reason", "fix", "advice", "forecast"})
NONFINITE = "nonfinite."
_SHOWN = 4  # numbers of a finding, calls of a stack
_MANY = 64  # spans of rows
_ENDLESS = 250_000_000_000  # Unix seconds; a little before the year 9999, the last that a date can have


def intervention(case: Intervention) -> dict[str, str]:
    """What was seen, why, what was decided and done."""
    main = _main(case.findings)
    return {
        "found": fields.text(main, "code", "none"),
        "signal": fields.text(main, "signal", "-"),
        "numbers": _numbers(main),
        "others": _counted(len(case.findings) - 1),
        **_cause(case),
        **_done(case),
        **knobs(case.adopted),
    }


def unexplained() -> dict[str, str]:
    """A halt of which the journal tells no more than that."""
    return {**intervention(Intervention(tick=0, step=0, move="HALT")), "within": ""}


def topic(case: Intervention) -> str:
    """What repeats of an intervention share: the finding, and of a loss its name, since there are few of these."""
    main = _main(case.findings)
    code, signal = fields.text(main, "code"), fields.text(main, "signal")
    return f"{code}:{signal}" if signal.startswith("loss/") else code


def nonfinite(case: Intervention) -> bool:
    """Whether a number was not finite."""
    return any(fields.text(one, "code").startswith(NONFINITE) for one in case.findings)


def knobs(remedies: Iterable[Record]) -> dict[str, str]:
    """What remedies turn: the most cautious of each knob, and for how long."""
    given = [fields.mapping(one, "knobs") for one in remedies]
    turned = {name: _least(name, given) for name in ("lr_scale", "lr_standing", "lr_most", "clip_norm")}
    precisions = [fields.text(one, "precision").upper() for one in given]
    held = [fields.whole(one, "hold") for one, knob in zip(remedies, given, strict=False) if phrases.knobs(knob)]
    return {
        **turned,
        "precision": next((one for one in precisions if one not in ("", "AS_RUN")), ""),
        "weights": _multiples(given, "weights", " x"),
        "settings": _multiples(given, "settings", " "),
        "hold": _counted(max(held, default=0)) if max(held, default=0) < FOREVER else "",
    }


def losses(values: dict[str, float]) -> dict[str, float]:
    """The unweighted components, else the total where there are none."""
    named = {name: value for name, value in values.items() if name.startswith("loss/")}
    return {name: value for name, value in named.items() if name != "loss/total"} or named


def listed(items: Sequence[object], shown: int = 8) -> str:
    """`a, b, c, +13`: in no language."""
    names = [fields.plain(item, 80) for item in items[:shown]]
    return ", ".join([*names, f"+{len(items) - shown}"] if len(items) > shown else names)


def figures(values: Mapping[str, float], between: str = " ") -> str:
    """`loss/gate 0.05, loss/mel 0.9`."""
    return listed([f"{fields.plain(name, 60)}{between}{fields.figure(value)}" for name, value in values.items()])


def held_out(values: Mapping[str, float]) -> str:
    """Held-out metrics, what says most first: quality, then what the model does by itself, then teacher-forced."""
    ranked = sorted(values, key=lambda name: ("quality" not in name, "forced" in name))
    return figures({name: values[name] for name in ranked})


def duration(seconds: float) -> str:
    """`3 h 20 min`, `12 min`, `40 s`: figures and units that every language reads; nothing of what is not finite."""
    if not math.isfinite(seconds):
        return ""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"  # noqa: PLR2004
    return f"{minutes} min" if minutes else f"{whole} s"


def moment(seconds: float) -> str:
    """A time of day that does not depend on where it is read; empty where no calendar has it."""
    if not 0 < seconds < _ENDLESS:
        return ""
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc):%Y-%m-%d %H:%M} UTC"


def whole(value: float | None) -> str:
    """A count as text; empty for none."""
    return "" if value is None or not math.isfinite(value) else str(int(value))


def _main(findings: Sequence[Record]) -> Record:
    """The finding that the intervention is about: a number that is not finite, else what was answered, else any."""
    ranked = sorted(findings, key=lambda one: _rank(fields.text(one, "code")))
    return ranked[0] if ranked else {}


def _rank(code: str) -> int:
    return 0 if code.startswith(NONFINITE) else 1 + (code in TOLD)


def _numbers(finding: Record) -> str:
    """The evidence by name, but the signal's own value bare."""
    given, own = fields.mapping(finding, "evidence"), fields.text(finding, "signal")
    named = [f"{'' if name == own else fields.plain(name, 60)} {fields.figure(given[name])}" for name in given]
    return ", ".join(one.strip() for one in named[:_SHOWN]) + (", \u2026" if len(named) > _SHOWN else "")


def _cause(case: Intervention) -> dict[str, str]:
    found, operation = case.cause, fields.mapping(case.cause, "operation")
    samples = listed(fields.sequence(found, "samples"))
    name, node = fields.text(operation, "name"), fields.text(operation, "node")
    return {
        "proof": _proof(case),
        "kind": _kind(found),
        "replays": _counted(fields.whole(found, "replays") or len(case.trials)),
        "component": fields.text(found, "component"),
        "samples": samples,
        "rows": "" if samples else fields.spans(fields.sequence(found, "rows"), _MANY),
        "origin": _origin(operation),
        "operation": f"{name} ({node})" if name and node else name,
        "line": fields.text(operation, "line"),
        "module": fields.text(operation, "module"),
        "reason": fields.sentence((causes.reasons(found) or [""])[0]) if found else "",
        "fix": causes.fix(found) if found else "",
    }


def _proof(case: Intervention) -> str:
    if not case.cause:
        return "cut" if case.trials else "none"
    if _kind(case.cause) == "unknown":
        return "unknown"
    return "proved" if fields.whole(case.cause, "replays") else "stands"


def _kind(found: Record) -> str:
    """The kind of cause; code of which no operation is known is a `fault` of whatever sort."""
    name = fields.text(found, "cause", "unknown") if found else ""
    return "fault" if name == "code" and not fields.mapping(found, "operation") else name


def _origin(operation: Record) -> str:
    origin, module = fields.text(operation, "origin"), fields.text(operation, "module")
    if origin == "batch" or (origin == "parameter" and module):
        return origin
    if not fields.text(operation, "name"):
        return ""
    return "line" if fields.text(operation, "line") else "operation"


def _done(case: Intervention) -> dict[str, str]:
    did = case.did
    dropped = listed(fields.sequence(did, "dropped"))
    tried = fields.sequence(did, "rows") or did.get("retried") is True
    return {
        "move": fields.text(did, "move", "open" if case.move != "COMMIT" and not case.proved else "COMMIT"),
        "decision": case.moved,
        "before": whole(fields.number(did.get("step_before", case.step))),
        "after": whole(fields.number(did.get("step_after", case.step))),
        "dropped": dropped or fields.spans(fields.sequence(did, "rows"), _MANY),
        "quarantine": "yes" if dropped and case.proved.get("quarantine") is True else "",
        "retry": "" if not tried else "rest" if fields.sequence(did, "rows") else "same",
        "again": _counted(fields.whole(did, "again")),
        "lost": _counted(fields.whole(did, "lost")),
        "reset": "yes" if case.proved.get("reset") is True and did else "",
    }


def _least(name: str, given: Iterable[Record]) -> str:
    values = [number for one in given if (number := fields.number(one.get(name))) is not None]
    turned = [value for value in values if not phrases.is_neutral(name, value)]
    return fields.figure(min(turned)) if turned else ""


def _multiples(given: Iterable[Record], key: str, between: str) -> str:
    return figures({name: value for one in given for name, value in fields.numbers(one, key).items()}, between)


def _counted(amount: int) -> str:
    return str(amount) if amount > 0 else ""
