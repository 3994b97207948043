"""Plain English for journal records: short sentences, figures to three significant digits, one printable line each.

`say` is for events, `reading` for the figures between them; the log and the console speak with these words alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.core.replay import Replayed
from rerail.tell import advised, causes, fields, journal, phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rerail.tell.fields import Record

_ENDS = {"finished": "Run finished", "stopped": "Run stopped on request", "halted": "Run halted by the guard"}


def say(record: Record) -> str | None:
    """The sentence for a record, or None where a person need not be told (readings, snapshots kept in memory)."""
    speaker = _SPEAKERS.get(fields.text(record, "kind"))
    return speaker(record) if speaker else None


def reading(values: Mapping[str, float]) -> str:
    """The figures of one tick in a line: losses, learning rate, gradient norm, held-out metrics, seconds a step."""
    named = {name: f"{fields.plain(name)} {fields.figure(value)}" for name, value in values.items()}
    losses = sorted((name for name in named if name.startswith("loss/")), key=lambda name: name != "loss/total")
    parts = [named[name] for name in losses]
    parts += [f"{word} {fields.figure(values[name])}" for name, word in _READ_AS.items() if name in values]
    parts += [named[name] for name in named if name.startswith("eval/")]
    if "time/step" in values:
        parts.append(f"{fields.figure(values['time/step'])} s/step")
    return ", ".join(parts) or "nothing was read"


def replayed(found: Replayed) -> str:
    """How far another plan agrees with what was decided."""
    alike = f"{fields.count(found.ticks, 'tick')} judged alike, {found.told} of them more than a plain commit"
    if found.then is None or found.now is None:
        return f"The plan decides as the run did: {alike}."
    then, now = (
        _verdict({"move": one["move"], "findings": one["findings"]}) or "commit, nothing found"
        for one in (found.then, found.now)
    )
    return f"{alike}.\nAt tick {found.tick} they part:\n  then: {then}\n  now:  {now}"


_READ_AS = {"lr": "learning rate", "grad/norm": "gradient norm"}


def _verdict(record: Record) -> str | None:
    seen = "; ".join(phrases.finding(each) for each in fields.mappings(record, "findings"))
    if not seen:  # knobs in force are no event: they are told once, by their remedy
        return None if record.get("move") == "COMMIT" else f"Decision: {phrases.move(record)}."
    return f"{fields.capital(seen)}. Decision: {phrases.move(record)}."


def _advice(record: Record) -> str:
    told = "seen" in record
    return advised.advice(record) if told else f"Advice on {fields.text(record, 'code')}: {advised.advice(record)}"


def _cause(record: Record) -> str:
    replays = fields.count(fields.whole(record, "replays"), "replay")
    if record.get("cause", "unknown") == "unknown":
        return f"No cause was proved in {replays}: {'; '.join(causes.reasons(record)) or 'no pattern fits'}."
    if not fields.whole(record, "replays"):
        return f"What this stands for, as seen and not replayed: {causes.cause(record)}."
    return f"Cause, proved in {replays}: {causes.cause(record)}."


def _remedy(record: Record) -> str:
    if record.get("proved") is True:
        return f"{_PROVED.get(fields.text(record, 'move'), _SHOWN)}: {phrases.remedy(record)}."
    code, signal = fields.text(record, "code"), fields.text(record, "signal")
    return f"Remedy for {code} in {signal}: {phrases.remedy(record) or 'none'}."


_SHOWN = "Remedy, shown to work by a replay"
_PROVED = {"HALT": "No replay showed a remedy to work", "COMMIT": "Nothing to mend"}


def _outcome(record: Record) -> str:
    did = fields.mapping(record, "did")
    if did:
        return f"{fields.capital(phrases.done(did))}."
    return f"After the intervention of tick {fields.whole(record, 'of')}: {phrases.effect(record)}."


def _snapshot(record: Record) -> str | None:
    if record.get("event") != "saved":
        return None
    place, size = fields.text(record, "path"), fields.number(record.get("bytes"))
    weight = "" if size is None else f" ({phrases.weighed(size)})"
    return f"Checkpoint of step {fields.whole(record, 'step')} saved{place and f' to {place}'}{weight}."


def _artifact(record: Record) -> str:
    caption = fields.text(record, "caption") or fields.text(record, "name", "a file")
    return f"Saved {fields.text(record, 'path', 'no path')}: {caption.rstrip('.')}."


def _note(record: Record) -> str:
    text, data = fields.text(record, "text", "note"), fields.mapping(record, "data")
    if speaker := _NOTES.get(text):
        return speaker(data)
    figures = ", ".join(f"{fields.plain(name)} {fields.figure(value)}" for name, value in data.items())
    return f"{text} ({figures})" if figures else text


def _resumed(data: Record) -> str:
    passed = "; ".join(fields.plain(one) for one in fields.sequence(data, "damaged"))
    where = f"Run resumed at step {fields.whole(data, 'step')} from {fields.text(data, 'from', 'a checkpoint')}"
    return f"{where}; newer ones were damaged: {passed}." if passed else f"{where}."


def _ended(data: Record) -> str:
    reason = fields.text(data, "reason", "without a reason")
    return f"{_ENDS.get(reason, f'Run ended: {reason}')}, at step {fields.whole(data, 'step')}."


def _quarantined(data: Record) -> str:
    return f"In quarantine, kept out of training from now on: {fields.listed(fields.sequence(data, 'ids'))}."


def _released(data: Record) -> str:
    return f"Let out of quarantine: {fields.listed(fields.sequence(data, 'ids'))}."


def _evidence(data: Record) -> str:
    return f"Evidence kept in {fields.text(data, 'path')}: the batch, the state, the proof, a script that fails so."


def _hang(data: Record) -> str:
    where = "inside guard.step" if data.get("inside") is True else "outside guard.step (the loader, a validation)"
    usual = fields.number(data.get("usual"))
    steps = "no step is through yet" if usual is None else f"a step usually takes {fields.figure(usual)} s"
    stands = ", called from ".join(fields.plain(one) for one in reversed(fields.sequence(data, "where")[-_CALLS:]))
    silent = f"Nothing heard for {fields.figure(data.get('silent', 0.0))} s {where}; {steps}"
    return f"{silent}. It stands at {stands or 'no line: the thread has ended'}. Advice: {fields.text(data, 'advice')}."


def _recovered(data: Record) -> str:
    changed = [
        f"{fields.text(one, 'setting')} {fields.text(one, 'was')} -> {fields.text(one, 'to')}"
        for one in fields.mappings(data, "settings")
    ]
    told = f"Recovered from {fields.text(data, 'from')}: {fields.listed(fields.sequence(data, 'cause'))}"
    return f"{told}. Goes on with {fields.text(data, 'with')}: {'; '.join(changed) or 'nothing changed'}."


def _went_on(data: Record) -> str:
    return f"The run went on after {fields.figure(data.get('silent', 0.0))} s."


def _asked(data: Record) -> str:
    by, step = fields.text(data, "by") or "somebody", fields.whole(data, "step")
    done = _WISHES.get(fields.text(data, "wish"), f"Asked for {fields.text(data, 'wish', 'nothing')}")
    waited = f" after {fields.figure(data['waited'])} s" if "waited" in data else ""
    return f"{done}{waited}, at step {step}: asked by {by}."


def _broke_off(data: Record) -> str:
    return f"Broke off at step {fields.whole(data, 'step')}: {fields.text(data, 'error', 'no reason is known')}"


_WISHES = {"pause": "Waits between two steps", "resume": "Goes on", "stop": "Stops"}
_CALLS = 3  # lines of a stack in one sentence; the journal has more
_NOTES: dict[str, Callable[[Record], str]] = {
    "start": lambda _: "Run started.",
    "resume": _resumed,
    "end": _ended,
    "quarantined": _quarantined,
    journal.RELEASED: _released,
    "evidence kept": _evidence,
    "asked": _asked,
    "broke off": _broke_off,
    "hang": _hang,
    "went on": _went_on,
    "recovered": _recovered,
    "notify": lambda data: f"To be told at once: {fields.text(data, 'message')}",
}
_SPEAKERS: dict[str, Callable[[Record], str | None]] = {
    "verdict": _verdict,
    "advice": _advice,
    "cause": _cause,
    "remedy": _remedy,
    "outcome": _outcome,
    "snapshot": _snapshot,
    "artifact": _artifact,
    "note": _note,
}
