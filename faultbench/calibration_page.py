"""The page of the calibration, from what the detectors made of the healthy runs."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from rerail.core.calibrate import FURTHEST, MARGIN, Alarm, Healthy, Judged, Loosened, Margin
from rerail.core.plans import default_plan
from rerail.core.rate import Rate
from rerail.core.thresholds import name_of
from rerail.tell.calibrated import interval
from rerail.tell.fields import figure

THIN = 1.2  # times as strict: nearer than this an alarm is a matter of luck


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A healthy run, whether it was kept back, and how often the guard did something to it when it was played."""

    run: Healthy
    control: str
    kept_back: bool
    interventions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One detector: on the open runs, and on those kept back as it is and with the plan that calibrates it.

    `elsewhere` is the detector on those open runs alone in which it raises nothing (`silent` of them), None where these are
    all.
    """

    judged: Judged
    elsewhere: Judged | None
    silent: int
    kept: tuple[Alarm, ...]
    kept_ticks: int
    plan: Loosened
    kept_with_plan: tuple[Alarm, ...]


def page(heard: Sequence[Heard], found: Sequence[Found], open_seeds: Sequence[int], kept_seeds: Sequence[int]) -> str:
    """Return the document."""
    back = sorted({one.control for one in heard if one.kept_back and _whole(one.control, heard)})
    return "\n".join(
        [
            "# Calibration: how far the thresholds are from a false alarm",
            "",
            f"Made by `make calibration` (`python -m faultbench.calibration`) on {platform.machine()}, {os.cpu_count()} "
            f"cores, CPU, torch {torch.__version__}. The healthy controls of the fault bench are played under the guard "
            "with its defaults; their journals are judged again by each detector alone. `rerail calibrate RUN ...` does "
            "the same with runs of your own.",
            "",
            *_runs(heard),
            "",
            f"Margins come from the runs that are not kept back: seeds {_listed(open_seeds)}. Kept back are seeds "
            f"{_listed(kept_seeds)} of these controls, and every seed of {', '.join(f'`{one}`' for one in back)}.",
            "",
            "## False alarms",
            "",
            "An alarm is a tick at which a code is found. Rates are in 10,000 ticks, with the exact two-sided 95 % interval "
            "of a Poisson count (Garwood 1936); alarms of one run depend on one another, so the runs that raise them are "
            "listed too. `scale.overflow` is left out: that is how a dynamic loss scale finds its size.",
            "",
            f"Answered codes: the guard acts on them, or proves that nothing is wrong. They must have none; "
            f"{_missed(found)}.",
            "",
            *_rates(found, answered=True),
            "",
            "Told codes, which are never acted upon:",
            "",
            *_rates(found, answered=False),
            "",
            "Where they were raised:",
            "",
            *_raised(found),
            "",
            "Controls to which the guard did something while they were played:",
            "",
            *_touched(heard),
            "",
            "## Thresholds",
            "",
            f"Each alone, all others at their defaults. Quiet at: the strictest value without an alarm on the open runs, "
            f"looked for up to {FURTHEST:.0f} times as strict. Where the default raises alarms it is the nearest looser "
            f"value without, and the ratio is below 1. No margin: below {THIN:g}. Shares near 1 and factors are measured "
            "from 1. Counts are whole: where one fewer raises an alarm, that is said. A detector that raises alarms has "
            "a second row: on the open runs in which it raises none.",
            "",
            "| detector | threshold | default | quiet at | times as strict | |",
            "|---|---|---|---|---|---|",
            *_thresholds(found),
            "",
            "Of these no value that was tried raises an alarm, so these runs say nothing about them; most ask for more "
            "ticks than the runs have, or for signals that these runs do not give:",
            "",
            *_silent(found),
            "",
            "## What a calibrated plan does on runs that it has not seen",
            "",
            f"`rerail calibrate` on the open runs, margin {MARGIN:g}, would move these; the alarms are those on the runs "
            "kept back, with the default and with the plan. Ten times as loose is all but off.",
            "",
            "| detector | threshold | default | plan | alarms, default | alarms, plan |",
            "|---|---|---|---|---|---|",
            *_moved(found),
            "",
        ]
    )


def _whole(control: str, heard: Sequence[Heard]) -> bool:
    return all(one.kept_back for one in heard if one.control == control)


def _runs(heard: Sequence[Heard]) -> Iterator[str]:
    yield "| | runs | healthy ticks | runs to which anything was done | interventions in 10,000 ticks |"
    yield "|---|---|---|---|---|"
    for name, kept in (("open", False), ("kept back", True)):
        some = [one for one in heard if one.kept_back == kept]
        ticks = sum(len(one.run.readings) for one in some)
        done = Rate(count=sum(one.interventions for one in some), ticks=ticks)
        touched = sum(one.interventions > 0 for one in some)
        yield f"| {name} | {len(some)} | {ticks} | {touched} | {interval(done)} |"


def _rates(found: Sequence[Found], *, answered: bool) -> Iterator[str]:
    plan = default_plan()
    yield "| code | detector | open: alarms | per 10,000 | kept back: alarms | per 10,000 |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        for code, rate in one.judged.rates().items():
            if (plan.ladder(code) is not None) == answered:
                kept = Rate(count=sum(alarm.code == code for alarm in one.kept), ticks=one.kept_ticks)
                cells = (f"| {each.count} | {interval(each)} " for each in (rate, kept))
                yield f"| `{code}` | {name_of(one.judged.detector)} {''.join(cells)}|"


def _missed(found: Sequence[Found]) -> str:
    plan = default_plan()
    raised = {alarm.code for one in found for alarm in (*one.judged.alarms, *one.kept)}
    missed = sorted(code for code in raised if plan.ladder(code) is not None)
    return f"missed by {', '.join(f'`{one}`' for one in missed)}" if missed else "and none has"


def _raised(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        for code in sorted({alarm.code for alarm in (*one.judged.alarms, *one.kept)}):
            runs = Counter(alarm.run for alarm in (*one.judged.alarms, *one.kept) if alarm.code == code)
            yield f"- `{code}`: {', '.join(f'{run} ({times})' for run, times in runs.items())}"


def _touched(heard: Sequence[Heard]) -> Iterator[str]:
    touched = [one for one in heard if one.interventions]
    yield from (f"- {one.run.name}: {one.interventions}" for one in touched)
    if not touched:
        yield "- none"


def _thresholds(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        yield from (_threshold(margin, _remark(margin)) for margin in one.judged.margins if margin.quiet is not None)
        if one.elsewhere is not None:
            where = f"on the {one.silent} runs without an alarm"
            for margin in one.elsewhere.margins:
                if margin.quiet is not None:
                    yield _threshold(margin, "; ".join(filter(None, (where, _remark(margin)))))


def _threshold(margin: Margin, remark: str) -> str:
    one = margin.threshold
    cells = (one.detector, one.name, figure(one.present), figure(margin.quiet), figure(margin.ratio), remark)
    return f"| {' | '.join(cells)} |"


def _remark(margin: Margin) -> str:
    if margin.code:
        return f"**raises `{margin.code}`**"
    if margin.ratio >= THIN:
        return ""
    return "one step stricter raises an alarm" if margin.threshold.whole else "**no margin**"


def _silent(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        every = dict.fromkeys(each.threshold.name for each in one.judged.margins)
        known = {each.threshold.name for each in one.judged.margins if each.quiet is not None}
        names = [name for name in every if name not in known]
        if names:
            yield f"- {name_of(one.judged.detector)}: {', '.join(names) if known else 'all'}"


def _moved(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        for field, value in one.plan.changes.items():
            now = getattr(one.judged.detector, field)
            yield (
                f"| {name_of(one.judged.detector)} | {field} | {figure(now)} | {figure(value)} "
                f"| {len(one.kept)} | {len(one.kept_with_plan)} |"
            )


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
