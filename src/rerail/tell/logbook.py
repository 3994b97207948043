"""What the guard has to tell, as journal records. It decides nothing; docs/journal.md has every kind of record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rerail.core import plain
from rerail.core.advice import advise
from rerail.core.artifact import Picture, Sound
from rerail.core.band import judged
from rerail.core.cause import Cause
from rerail.core.counsel import Counsel
from rerail.core.knobs import NEUTRAL
from rerail.core.operations import edge
from rerail.core.outcome import Outcome
from rerail.core.reading import Reading
from rerail.core.remedy import Remedy
from rerail.core.told import TOLD
from rerail.core.trial import Trial
from rerail.core.verdict import Verdict
from rerail.tell.artifacts import save_artifact
from rerail.tell.journal import RESUME, START, Journal, Listener
from rerail.tell.listeners import Listeners
from rerail.tell.runlog import RunLog


class Logbook:
    """Writes the journal of one run, its `run.log` and `config.yaml`, and hands every record to the listeners."""

    def __init__(self, run: Path | None, listeners: Sequence[Listener]) -> None:
        self.run = run
        self._journal = Journal(run)
        self._counsel = Counsel()
        self._log = None if run is None else RunLog(run / "run.log")
        heard: list[Listener] = [*listeners] if self._log is None else [*listeners, self._log]
        self._listeners = Listeners(self._journal, tuple(heard)) if heard else None

    @property
    def heard(self) -> bool:
        """Say whether anything that is written goes anywhere."""
        return self.run is not None or self._listeners is not None

    def begin(self, tick: int, *, step: int, resumed: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        """Open a run, or the continuation of one; `about` holds its `config` and `environment`."""
        data = {**about, "step": step}
        if self.run is not None and not (self.run / "config.yaml").exists():
            text = yaml.safe_dump(plain.dump(about.get("config", {})), sort_keys=False, allow_unicode=True)
            (self.run / "config.yaml").write_text(text, encoding="utf8")
        self.note(tick, RESUME if resumed else START, {**data, **resumed})

    def note(self, tick: int, text: str, data: Mapping[str, Any]) -> None:
        """Write a free note."""
        self._journal.write("note", tick, text=text, data=data)

    def judged(self, reading: Reading, verdict: Verdict) -> None:
        """Write a reading, and its verdict unless that is a plain commit without any knob."""
        tick = reading.tick
        self._journal.write("reading", tick, values=reading.values)
        if not verdict.plain or verdict.knobs != NEUTRAL:
            self._journal.write("verdict", tick, move=verdict.move, knobs=verdict.knobs, findings=verdict.findings)
        for answer in verdict.answers:
            remedy = {name: value for name, value in plain.dump(answer.remedy).items() if name != "times"}
            found = answer.finding
            self._journal.write("remedy", tick, code=found.code, signal=found.signal, rung=answer.rung, **remedy)
        self._advise(reading, verdict)

    def _advise(self, reading: Reading, verdict: Verdict) -> None:
        """Write the advice for what is told for the first time, and what became of older advice.

        What the guard answers itself has a proof, which says more than a symptom does.
        """
        self._counsel, due = self._counsel.read(reading)
        for one in due:
            numbers = {"before": one.before, "now": one.now, "seen": one.seen, "expect": one.expect}
            self._journal.write("advice", reading.tick, of=one.of, code=one.code, **numbers)
        for found in verdict.findings:
            new = found.code in TOLD and (found.code, found.signal) not in self._counsel.given
            given = advise(found, reading) if new else None
            if given is not None:
                self._journal.write("advice", reading.tick, code=found.code, signal=found.signal, **plain.dump(given))
                self._counsel = self._counsel.give(reading.tick, found.code, found.signal, given, reading)

    def proved(self, tick: int, cause: Cause, remedy: Remedy | None, trials: Sequence[Trial]) -> None:
        """Write every replay, the cause that they prove, and the remedy that one of them has shown to work."""
        for number, trial in enumerate(trials, 1):
            self._tried(tick, number, trial)
        named = {name: value for name, value in plain.dump(cause).items() if name not in {"kind", "trials"}}
        named |= {"cause": cause.kind.value, "root": cause.root, "replays": len(trials)}
        advice = edge(cause.operation) if cause.operation else None
        self._journal.write("cause", tick, **named, explanation=advice and plain.dump(advice))
        if remedy is not None:
            changes = {name: value for name, value in plain.dump(remedy).items() if name != "times"}
            self._journal.write(
                "remedy", tick, code=cause.root, signal=cause.component, rung=-1, proved=True, **changes
            )

    def _tried(self, tick: int, number: int, trial: Trial) -> None:
        last = trial.readings[-1].values if trial.readings else {}
        self._journal.write(
            "trial",
            tick,
            number=number,
            changed=plain.dump(trial.changed.changes()),
            values={name: value for name, value in last.items() if judged(name)},
            healthy=trial.healthy,
            cost=trial.cost,
            exact=trial.exact,
            error=trial.error,
        )

    def acted(self, tick: int, did: Mapping[str, Any]) -> None:
        """Write what was done about the verdict of this tick."""
        self._journal.write("outcome", tick, of=tick, did=did)

    def came_of_it(self, tick: int, outcomes: Sequence[Outcome]) -> None:
        """Write what earlier interventions led to."""
        for one in outcomes:
            measured = {"before": one.before, "now": one.now, "recovered": one.recovered}
            self._journal.write("outcome", tick, of=one.of, after=tick - one.of, **measured)
        if self._listeners is not None:
            self._listeners.report(tick)

    def snapshot(self, tick: int, event: str, step: int, **more: object) -> None:
        """Write that a snapshot was taken, promoted, saved or refused."""
        self._journal.write("snapshot", tick, event=event, step=step, **more)

    def show(self, tick: int, step: int, name: str, thing: Picture | Sound) -> None:
        """Keep a picture or a sound in the run's folder; nothing where there is none."""
        if self.run is None:
            return
        try:
            kept = save_artifact(self.run, name, step, thing)
        except OSError as error:  # a full disk ends no run
            self.note(tick, "picture or sound not kept", {"name": name, "step": step, "error": str(error)})
        else:
            self._journal.write("artifact", tick, **kept)

    def close(self, tick: int, *, reason: str, step: int) -> None:
        """Write the last note, where there is a reason, let the listeners finish, close the file."""
        if reason:
            self.note(tick, "end", {"reason": reason, "step": step})
        if self._listeners is not None:
            self._listeners.close(tick)
        self._journal.close()
        if self._log is not None:
            self._log.close()
