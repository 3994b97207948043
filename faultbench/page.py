"""The fault bench's page, from its rows alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence

import torch

from faultbench.play import BEST, CLEAN, NONE, OURS
from faultbench.row import Row
from faultbench.score import FEW, Score, score

STEPS = 30_000  # healthy steps that must pass without an intervention
MANY = 200  # losing cells that are listed
MISSED = (
    "- Incurable and not stopped: parameters in no optimizer, dropout that sets in, units that are dead or saturated and "
    "weights that start too large are named and told, and the run goes on, since nothing tells them from what is meant "
    "(decision 21). A switch for those who want such runs stopped would close it.",
    "- Inputs on another scale behind a normalisation: the loss does not show it, the statistics do. They would have to be "
    "put back where rows are left out later.",
    "- Gradients that are never set to zero: `guard.step` sets them to zero itself, so the bench adds old ones by a hook, "
    "which replays meet as well. Comparing a step's gradient with the last one's would tell it.",
    "- A setting or rate that does harm only over more steps than are tried (twelve) is told, not held. A longer trial "
    "beside the run would close it, at its cost.",
    "- A stop where the unguarded run was still sound at its end counts as harm, though what was stopped is a fault: a "
    "loader that stands still, a trunk that is cut off.",
    "- A gradient that is lost behind the graph's back (a bucket that is not synchronised) is told as `gradient.lost`, and "
    "taken for another stage of training, since a loss that is annealed to nothing looks the same. Asking the other ranks, "
    "or the graph for the gradient once more without hooks, would tell them apart.",
    "- Weights that are set to zero on purpose (`pruned`) are taken back once, since a part of them read wrongly from a "
    "file looks the same: both happen between two steps. A word to the guard before such a change would close it.",
    "- Rates that fade, jump or begin anew by the schedule, weights restored in a loop, silent shards, merged or shifted "
    "classes: no detector judges the rate by itself, nor which samples or classes do not come. Inputs clipped, turned or "
    "normalised twice are seen and called a new level.",
)


def page(
    rows: Sequence[Row], missing: Sequence[str], command: str = "make faultbench", recorded: Sequence[str] = ()
) -> str:
    """Return the document; `command` is what made the rows, `recorded` what became of the recorded trainings."""
    ours = [one for one in rows if one.tool == OURS]
    names = [OURS, *dict.fromkeys(one.tool for one in rows if one.tool not in (CLEAN, BEST, OURS))]
    played = [one.cell for one in ours if one.fault]
    return "\n".join(
        [
            "# Fault bench: what each tool makes of a run that goes wrong",
            "",
            f"Made by `{command}` on {platform.machine()}, {os.cpu_count()} cores, CPU, "
            f"torch {torch.__version__}. A cell is a workload, a fault, its severity, the phase in which it begins, and a "
            "seed. It counts as damaging where the unguarded run ends outside the band of five clean ones (mean + 3 "
            "standard deviations, or the largest), or of five clean ones without the batches that hold nothing, where a fault "
            "leaves whole batches that nobody could learn from. With `--severest` there is one cell of each fault in each workload, the "
            "severest, in its last phase; with `--share N` other tools play every N-th of these. Every tool runs with its defaults. Each run is a line of "
            "`faultbench/results.csv`.",
            "",
            f"{len(played)} cells, {sum(one.damaging for one in ours)} of them damaging; "
            f"{sum(not one.fault for one in ours)} healthy controls.",
            "",
            "## Targets",
            "",
            *_targets(score(OURS, ours)),
            "",
            "## What is missed, and what would close it",
            "",
            *MISSED,
            "",
            "## What no threshold was chosen on",
            "",
            *_kept_back(ours),
            "",
            "## All tools",
            "",
            "The cells that every tool played. " + _legend(),
            "",
            *_table([score(name, _shared(rows, name, names)) for name in names]),
            "",
            "## rerail, all cells",
            "",
            *_table([score(label, some) for label, some in _parts(ours)]),
            "",
            "By family of fault:",
            "",
            *_table([score(name, some) for name, some in _grouped(ours, lambda one: one.family)]),
            "",
            "By workload:",
            "",
            *_table([score(name, some) for name, some in _grouped(ours, lambda one: one.workload)]),
            "",
            "By fault:",
            "",
            *_table([score(name, some) for name, some in _grouped(ours, lambda one: one.fault)]),
            "",
            "## What rerail lost",
            "",
            *_lost(ours),
            "",
            *(["## Recorded trainings, judged again", "", *recorded, ""] if recorded else []),
            *(["## Left out", "", *(f"- {one}" for one in missing), ""] if missing else []),
        ]
    )


def _targets(ours: Score) -> Iterator[str]:
    yield "| target | reached | |"
    yield "|---|---|---|"
    for name, (part, whole) in {
        "every damaging cell detected": ours.detected,
        "non-finite ones before the update": ours.in_time,
        "the cause right (in 95 %)": ours.cause,
        "every curable cell repaired into the clean band": ours.repaired,
        f"repaired with at most {FEW} steps wasted (in 95 %)": ours.thrifty,
        "every incurable cell stopped": ours.stopped,
    }.items():
        needed = 0.95 if "95 %" in name else 1.0
        yield f"| {name} | {part} of {whole} | {'yes' if part >= needed * whole else 'missed'} |"
    touched, controls = ours.touched
    steps = f"{touched} of {controls} controls, {ours.healthy_steps} healthy steps"
    told = f"alarms at most {ours.at_most:.1f} in 10,000 (95 %)"
    enough = touched == 0 and ours.healthy_steps >= STEPS
    yield f"| no intervention in {STEPS} healthy steps | {steps}; {told} | {'yes' if enough else 'missed'} |"
    yield f"| no halt on a curable cell | {ours.gave_up} halts | {'yes' if not ours.gave_up else 'missed'} |"


def _kept_back(ours: Sequence[Row]) -> Iterator[str]:
    cells = [one for one in ours if one.fault]
    back = [one for one in cells if one.kept_back]
    open_workloads = {one.workload for one in cells if not one.kept_back}
    open_faults = {one.fault for one in cells if not one.kept_back}
    yield "Written when every threshold and every rule stood, by someone who had not read them, and played once: nothing was"
    yield "changed after a look at them. (The set that was kept back before has been looked at since, and counts as open.)"
    yield ""
    yield f"- workloads: {', '.join(sorted({one.workload for one in back} - open_workloads)) or 'none'}."
    yield f"- faults: {', '.join(sorted({one.fault for one in back} - open_faults)) or 'none'}."


def _legend() -> str:
    return (
        "Detected: damaging cells with an alarm after the fault began. In time: of those whose loss becomes no number, "
        "an alarm before the first such step was over, and finite weights at the end. Repaired: curable cells that ended "
        f"inside the clean band; thrifty: with at most {FEW} steps wasted. Stopped: incurable cells that ended with a "
        "stop. Gave up: curable cells that were stopped. Harm: cells whose unguarded run was sound and that ended "
        "outside the band or stopped. Touched: healthy controls to which anything was done."
    )


def _table(scores: Sequence[Score]) -> Iterator[str]:
    yield (
        "| | detected | delay | in time | cause | repaired | thrifty | stopped | gave up | harm | touched "
        "| alarms / 10,000 healthy steps (at most) |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for one in scores:
        yield (
            f"| {one.tool} | {_pair(one.detected)} | {one.delay:.0f} | {_pair(one.in_time)} | {_pair(one.cause)} "
            f"| {_pair(one.repaired)} | {_pair(one.thrifty)} | {_pair(one.stopped)} | {one.gave_up} "
            f"| {_pair(one.harmed)} | {_pair(one.touched)} "
            f"| {one.rate:.1f} ({one.at_most:.1f}) of {one.healthy_steps} |"
        )


def _pair(given: tuple[int, int]) -> str:
    return f"{given[0]}/{given[1]}" if given[1] else "-"


def _shared(rows: Sequence[Row], name: str, names: Sequence[str]) -> list[Row]:
    cells = [{one.cell for one in rows if one.tool == each} for each in names if each != NONE]
    shared = set.intersection(*cells) if cells else set()
    return [one for one in rows if one.tool == name and one.cell in shared]


def _parts(ours: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    yield "all", list(ours)
    yield "thresholds chosen on these", [one for one in ours if not one.kept_back]
    yield "kept back", [one for one in ours if one.kept_back]


def _grouped(ours: Sequence[Row], by: Callable[[Row], str]) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for one in ours:
        if one.fault:
            groups.setdefault(by(one), []).append(one)
    return list(groups.items())


def _lost(ours: Sequence[Row]) -> Iterator[str]:
    losing = [(one, why) for one in ours if (why := ", ".join(_failings(one)))]
    yield f"{len(losing)} of {len(ours)} runs" + (f"; the first {MANY}:" if len(losing) > MANY else ":")
    yield ""
    yield "| run | what was lost | truth | named | alarms | held-out, at most | wasted |"
    yield "|---|---|---|---|---|---|---|"
    for one, why in losing[:MANY]:
        yield (
            f"| {one.cell} | {why} | {one.truth} | {one.cause} | {one.told} | {one.held_out:.3g}, {one.most:.3g} "
            f"| {one.wasted} |"
        )


def _failings(one: Row) -> Iterator[str]:
    if not one.fault:
        if one.interventions:
            yield "touched"
        return
    if not one.damaging:
        if one.interventions and (one.stopped or not one.healthy):
            yield "harmed"
        return
    if one.detected < 0:
        yield "not detected"
    if one.cause != one.truth:
        yield "cause"
    if one.curable and (one.stopped or not one.healthy):
        yield "gave up" if one.stopped else "not repaired"
    if one.curable and one.healthy and one.wasted > FEW:
        yield "wasteful"
    if not one.curable and not one.stopped:
        yield "not stopped"
