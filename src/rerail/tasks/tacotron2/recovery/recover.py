"""Emergency recovery, from the look at a wreck to the new run that is ready to train on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rerail.fit import FitConfig, past, untaken
from rerail.tasks.speech.plan import STAGES
from rerail.tasks.tacotron2.presets import PRESETS, ULTRA_SAFE
from rerail.tasks.tacotron2.recovery import told
from rerail.tasks.tacotron2.recovery.asked import Asked, Wreck, wreck
from rerail.tasks.tacotron2.recovery.changes import RULE_OF_THUMB, Change, Severity, changes, severity
from rerail.tasks.tacotron2.recovery.decide import Looked, Metrics, band, judge, sources
from rerail.tasks.tacotron2.recovery.examine import Bench, Say, bench, examine
from rerail.tasks.tacotron2.recovery.forecast import forecast
from rerail.tasks.tacotron2.recovery.ladder import OWN, TRIAL, Own, candidates
from rerail.tasks.tacotron2.recovery.trying import Trials, Tried
from rerail.tasks.tacotron2.task import Tacotron2Task

LATELY = 3  # interventions that are told
PACE = 200  # newest steps that say how long one takes
OF_SETTINGS = "the run's own settings, which its newest sound state does not bear"
HOPELESS = "nothing passed: no setting cures this. Look for the cause in code or data: rerail explain, rerail doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A recovery that is decided, with all that is told of it. The last trial is the chosen one, where it passed."""

    wreck: Wreck
    judged: tuple[Looked, ...]
    causes: tuple[str, ...]
    tried: tuple[Tried, ...]
    out: Path = Path()
    changes: tuple[Change, ...] = ()
    severity: Severity = "severe"
    forecast: str = ""

    @property
    def chosen(self) -> Tried | None:
        """The trial that passed; None where nothing is worth going on from."""
        return self.tried[-1] if self.tried and not self.tried[-1].failed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """All that training on takes: task and loop, the new run's folder, where it begins, notes for its journal."""

    task: Tacotron2Task
    fit: FitConfig
    run: Path
    start: Path
    describe: Mapping[str, Any]
    notes: Mapping[str, Mapping[str, Any]]


def decide(asked: Asked, say: Say) -> Recovery:
    """Look at what was asked for, try what may help, and say everything as it is found. Nothing is written.

    Raises:
        ValueError: where there is nothing to look at, or the data do not fit the run.
    """
    found = wreck(asked)
    say(f"looking at {found.run}")
    history, seconds = past.measured(found.run)
    history = [] if asked.data else history  # measured on other clips, numbers cannot be compared
    at = bench(Tacotron2Task(found.config, found.fit), found.fit)
    judged = judge(examine(at, found.saved), history)
    recovery = _tried(found, at, judged, history, asked.trial or TRIAL, say)
    if recovery.chosen is None:
        say(HOPELESS)
        return recovery
    return _decided(recovery, recovery.chosen, asked, history, seconds[-PACE:], say)


def prepared(recovery: Recovery, asked: Asked) -> Restart:
    """Write the state to begin with into the new run's folder, and what the old run keeps out of training."""
    chosen, run = recovery.chosen, recovery.out
    assert chosen is not None
    past.keep_quarantine(recovery.wreck.run, run)
    start = past.write(run, chosen.state)
    notes: dict[str, Mapping[str, Any]] = {"recovered": _note(recovery, chosen)}
    if asked.notify:
        notes["notify"] = {"level": "critical", "message": _summary(recovery, chosen)}
    task = Tacotron2Task(chosen.config, chosen.fit)
    return Restart(task=task, fit=chosen.fit, run=run, start=start, describe=asdict(chosen.config), notes=notes)


def _tried(
    found: Wreck, at: Bench, judged: tuple[Looked, ...], history: Sequence[tuple[int, Metrics]], steps: int, say: Say
) -> Recovery:
    causes = told.causes(judged)
    for line in told.wrong(judged, causes, past.interventions(found.run, LATELY), found.unknown):
        say(line)
    trials = Trials(at, found.config, found.saved, most=band(history))
    order = candidates(trials.readable(sources(judged)), _own(found), PRESETS.values(ULTRA_SAFE), steps)
    say("trials, mild first:")
    tried = trials.first_that_passes(order, steps, say)
    if tried[0].failed and tried[0].candidate.rung.name == OWN and not causes:
        causes = [OF_SETTINGS]
        say(f"wrong: {OF_SETTINGS}")
    return Recovery(wreck=found, judged=judged, causes=tuple(causes), tried=tried)


def _own(found: Wreck) -> Own:
    config, fit = found.config, found.fit
    return Own(
        lr=fit.lr,
        clip_norm=fit.clip_norm,
        precision=fit.precision,
        batch_size=fit.batch_size,
        accumulate=fit.accumulate,
        weight_attention=config.weight_attention,
        weight_mmi=config.weight_mmi,
    )


def _decided(
    recovery: Recovery,
    chosen: Tried,
    asked: Asked,
    history: Sequence[tuple[int, Metrics]],
    seconds: Sequence[float],
    say: Say,
) -> Recovery:
    """Say what will change and what is to be expected; nothing of it is done yet."""
    run = recovery.wreck.run
    replaced = [(one.name, len(one.rows), one.of) for one in chosen.replaced]
    listed = changes(chosen.candidate, _own(recovery.wreck), recovery.judged, replaced)
    grave = severity(chosen.candidate, recovery.judged[-1].step)
    expected = _expected(chosen, history, seconds)
    out = untaken(Path(asked.out) if asked.out else run.with_name(f"{run.name}-recovered"))
    for line in told.plan(chosen.candidate, [str(one) for one in listed], str(out), chosen.fit.steps):
        say(line)
    say(expected)
    say(f"the owner's rule of thumb for {grave} damage, on the owner's machine: {RULE_OF_THUMB[grave]}")
    return replace(recovery, out=out, changes=tuple(listed), severity=grave, forecast=expected)


def _expected(chosen: Tried, history: Sequence[tuple[int, Metrics]], seconds: Sequence[float]) -> str:
    """When the first stage that this state has not reached should come, from the curve up to it."""
    at = chosen.candidate.source.looked.step
    names = ((stage, stage.signal.removeprefix("eval/")) for stage in STAGES)
    ahead = [(stage, name) for stage, name in names if not chosen.before.get(name, -math.inf) >= stage.least]
    if not ahead:
        return "every stage was reached before"
    stage, name = ahead[0]
    curve = [(step, metrics[name]) for step, metrics in history if name in metrics and step <= at]
    return told.coming(forecast(curve, stage.least), name, at, seconds, delay=chosen.candidate.rung.delay)


def _note(recovery: Recovery, chosen: Tried) -> dict[str, Any]:
    source = chosen.candidate.source
    return {
        "from": str(recovery.wreck.run / "checkpoints" / source.looked.name),
        "cause": list(recovery.causes) or [told.NOTHING],
        "with": chosen.candidate.rung.name,
        "salvaged": source.salvage,
        "severity": recovery.severity,
        "settings": [asdict(one) for one in recovery.changes],
        "tried": [f"{told.candidate(one.candidate)}: {one.failed or 'passed'}" for one in recovery.tried],
        "forecast": recovery.forecast,
    }


def _summary(recovery: Recovery, chosen: Tried) -> str:
    wrong = ", ".join(recovery.causes) or told.NOTHING
    return f"{recovery.wreck.run.name}: {wrong}. Goes on in {recovery.out} with {told.candidate(chosen.candidate)}."
