"""What may be told, each with its level, topic and values; `Notices` gives it its id and its place in the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from rerail.core.detectors.guide import CODE as GUIDE
from rerail.core.notice import Level
from rerail.tell import fields
from rerail.tell.notices import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerail.tell.fields import Record
    from rerail.tell.notices.standing import Standing

PICTURED = frozenset({"progress", "stage", "ready", "critical", "critical.over"})
_CALLS = 3  # of a stack; the journal has more
_LEVELS = {"critical": Level.CRITICAL, "success": Level.SUCCESS, "progress": Level.PROGRESS}
_SIGNALS = {"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE"}


class Event(NamedTuple):
    """Something to tell, before it is known as a notice."""

    level: Level
    code: str
    topic: str
    values: Mapping[str, str]


class Guide:
    """How many times its own weight guided attention has; critical mode is more than once."""

    def __init__(self) -> None:
        self._factor = 1.0
        self._component = ""

    def moved(self, remedy: Record, standing: Standing) -> list[Event]:
        """Return whether a remedy raised the weight above the run's own, or brought it back."""
        if fields.text(remedy, "code") != GUIDE:
            return []
        weights = fields.numbers(fields.mapping(remedy, "knobs"), "weights")
        before, self._factor = self._factor, max(weights.values(), default=1.0)
        self._component = next(iter(weights), self._component)
        raised = self._factor > max(1.0, before)
        if not raised and not before > 1.0 >= self._factor:
            return []
        signal = fields.text(remedy, "signal")
        seen = standing.latest.held_out.get(signal, math.nan)
        filled = {"component": fields.plain(self._component), "factor": fields.figure(self._factor), "signal": signal}
        filled |= {"seen": fields.figure(seen), "from": fields.figure(before)}
        code = "critical" if raised else "critical.over"
        return [Event(Level.CRITICAL if raised else Level.SUCCESS, code, code, filled)]


def progress(filled: Mapping[str, str]) -> Event:
    """How the run stands."""
    return Event(Level.PROGRESS, "progress", "progress", filled)


def good(findings: Sequence[Record], standing: Standing) -> list[Event]:
    """The stages that one look has reached, as one; and a loss at rest."""
    stages = [one for one in findings if fields.text(one, "code") in ("stage.reached", "stage.ready")]
    told = []
    if stages:
        ranked = sorted(stages, key=_wanted)
        standing.stage = "; ".join({fields.text(one, "signal"): _stage(one) for one in ranked}.values())
        code = "ready" if any(one.get("code") == "stage.ready" for one in stages) else "stage"
        told.append(Event(Level.SUCCESS, code, code, {"stage": standing.stage, "saved": standing.saved}))
    for one in findings:
        if one.get("code") == "loss.stable":
            evidence = fields.mapping(one, "evidence")
            signal = fields.text(one, "signal", "loss/total")
            filled = {"signal": signal, "seen": fields.figure(evidence.get(signal, math.nan))}
            filled["window"] = values.whole(fields.number(evidence.get("steps")))
            held_out = values.held_out(standing.latest.held_out)
            told.append(Event(Level.SUCCESS, "stable", "stable", {**filled, "held_out": held_out}))
    return told


def hidden(findings: Sequence[Record]) -> list[Event]:
    """Numbers that are not finite and are replaced before anybody sees them."""
    found = [one for one in findings if one.get("code") == "nan.hidden"]
    places = [fields.text(one, "signal").removeprefix("hidden/") for one in found]
    return [Event(Level.CRITICAL, "hidden", f"hidden:{place}", {"place": place or "-"}) for place in places]


def recovered(data: Record) -> Event:
    """A run that `rerail recover` has begun."""
    changed = [
        f"{fields.text(one, 'setting')} {fields.text(one, 'was')} -> {fields.text(one, 'to')}"
        for one in fields.mappings(data, "settings")
    ]
    filled = {
        "from": fields.text(data, "from", "-"),
        "cause": values.listed(fields.sequence(data, "cause")),
        "with": fields.text(data, "with", "-"),
        "severity": fields.text(data, "severity"),
        "settings": values.listed(changed),
        "tried": values.whole(len(fields.sequence(data, "tried")) or None),
        "forecast": fields.sentence(fields.text(data, "forecast")),
    }
    return Event(Level.CRITICAL, "recovered", "recovered", filled)


def noted(text: str, data: Record, standing: Standing, *, halted: bool) -> Event | None:
    """What a note of the journal tells people; None for most."""
    if text == "end":
        return _ended(data, standing, halted=halted)
    teller = _NOTED.get(text)
    return teller(data, standing) if teller else None


def went_on(silent: float, place: str) -> Event:
    """The end of a silence that was told."""
    return Event(Level.SUCCESS, "went.on", "went.on", {"silent": values.duration(silent), "place": place})


def died(standing: Standing, exit_code: int | None, signal: str, *, since: str) -> Event:
    """A process that is gone without an end."""
    cause = signal if signal in _SIGNALS else "signal" if signal else "code" if exit_code else "unknown"
    filled = {"cause": cause, "signal": signal, "exit_code": "" if exit_code is None else str(exit_code)}
    filled |= {"since": since, **_left(standing)}
    return Event(Level.CRITICAL, "died", "died", filled)


def silent(standing: Standing, seconds: float, *, last: str) -> Event:
    """A process that is alive and writes nothing."""
    return Event(
        Level.CRITICAL, "silent", "silent", {"silent": values.duration(seconds), "last": last, **_left(standing)}
    )


def _left(standing: Standing) -> dict[str, str]:
    """What is left of a run that stands still: its last losses and its newest checkpoint."""
    saved = standing.saved
    lost = str(max(0, standing.step - int(saved))) if saved else ""
    return {
        "losses": values.figures(standing.losses()),
        "kept": "some" if saved else "none",
        "saved": saved,
        "lost": lost,
    }


def _unsaved(data: Record, standing: Standing) -> Event:
    filled = {"error": fields.text(data, "error", "-").rstrip("."), **_left(standing)}
    return Event(Level.CRITICAL, "unsaved", "unsaved", filled)


def _lost(data: Record, _: Standing) -> Event:
    filled = {"records": str(fields.whole(data, "records")), "error": fields.text(data, "error", "-").rstrip(".")}
    return Event(Level.CRITICAL, "lost", "lost", filled)


def _started(data: Record, _: Standing) -> Event:
    return Event(Level.PROGRESS, "started", "started", {"of": _steps(data)})


def _resumed(data: Record, _: Standing) -> Event:
    filled = {"from": fields.text(data, "from", "-"), "damaged": values.listed(fields.sequence(data, "damaged"))}
    return Event(Level.PROGRESS, "resumed", "resumed", filled)


def _goes_on(data: Record, _: Standing) -> Event:
    return went_on(fields.number(data.get("silent")) or 0.0, _place(data))


def _message(data: Record, _: Standing) -> Event:
    level = _LEVELS.get(fields.text(data, "level"), Level.CRITICAL)
    return Event(level, "message", "message", {"message": fields.text(data, "message", "-")})


def _hang(data: Record, _: Standing) -> Event:
    place, stack = _place(data), fields.sequence(data, "where")[-_CALLS:]
    usual = fields.number(data.get("usual"))
    filled = {
        "silent": values.duration(fields.number(data.get("silent")) or 0.0),
        "usual": "" if usual is None else fields.figure(usual),
        "place": place,
        "where": " < ".join(fields.plain(one) for one in reversed(stack)),
        "advice": fields.sentence(fields.text(data, "advice")),
    }
    return Event(Level.CRITICAL, "hang", f"hang:{place}", filled)


def _place(data: Record) -> str:
    return "inside" if data.get("inside") is True else "outside"


def _ended(data: Record, standing: Standing, *, halted: bool) -> Event | None:
    reason = fields.text(data, "reason", "-")
    if halted:  # told, with its cause, when it was done; whoever closes the journal then may call it anything
        return None
    if reason == "halted":
        return Event(Level.CRITICAL, "halt", "halt:", values.unexplained())
    held_out = values.held_out(standing.latest.held_out)
    filled = {"ending": reason, "losses": values.figures(standing.losses()), "held_out": held_out}
    filled |= {"saved": standing.saved}
    code = "finished" if reason == "finished" else "stopped"
    return Event(Level.SUCCESS, code, code, filled)


def _steps(data: Record) -> str:
    return values.whole(fields.whole(fields.mapping(data, "config"), "steps") or None)


def _wanted(finding: Record) -> float:
    return fields.number(fields.mapping(finding, "evidence").get("wanted")) or 0.0


def _stage(finding: Record) -> str:
    """`eval/quality 71 (60)`: what was seen of it, and what it takes."""
    evidence, signal = fields.mapping(finding, "evidence"), fields.text(finding, "signal", "-")
    seen, wanted = (fields.figure(evidence.get(one, "?")) for one in (signal, "wanted"))
    return f"{signal} {seen} (\u2265 {wanted})"


_NOTED: Mapping[str, Callable[[Record, Standing], Event]] = {
    "start": _started,
    "resume": _resumed,
    "hang": _hang,
    "went on": _goes_on,
    "notify": _message,
    "checkpoint not saved": _unsaved,
    "records lost": _lost,
}
