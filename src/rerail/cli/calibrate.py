"""Set the detectors' thresholds from runs that were healthy: rerail calibrate RUN [RUN ...] [--out plan.yaml].

Nothing is trained. Each detector judges the runs' readings again, and every alarm in them is a false one. Then one
threshold after another is made stricter until the first alarm, or looser until there is none. The table has a line a
detector: its alarms, their rate in 10,000 ticks with the exact 95 % interval, the threshold that is nearest to an
alarm, the strictest value of it that is still quiet, and how many times as strict that is (below 1: it must be
looser). `-` says that these runs raise no alarm at any value: they have no such signal, or are shorter than the
detector's patience.

The plan moves what raises alarms, and what nearly does: each threshold may then be --margin times as strict before
these runs raise one. 1.25 is room for normal noise in ten times as many ticks. Only what differs from the default plan
is written. Look at it, then use it:

    rerail calibrate runs/monday runs/tuesday --out plan.yaml
    rerail replay runs/monday --plan plan.yaml      # what it would have decided
    guard = rerail.Guard(..., plan=plan_of(yaml.safe_load(open("plan.yaml"))))

Give several long runs: a rate is only as sure as there are ticks. Rows that a replay proved to be bad are no false
alarm and move nothing, unless --count-proved is given. It takes a minute or two for 10,000 ticks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser, Namespace
from rich.progress import track

from rerail.cli.arguments import yaml_of
from rerail.core.calibrate import MARGIN, Healthy, Judged, healthy, judge, loosened, plan_data
from rerail.core.plans import plan_of
from rerail.core.thresholds import name_of
from rerail.tell import calibrated, journal, printed

T = TypeVar("T")


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("runs", type=str, nargs="+", help="folders of runs that were healthy")
    parser.add_argument("--out", type=str, default="", help="YAML file for the plan; printed where it is empty")
    parser.add_argument("--overwrite", action="store_true", help="write over the file of --out")
    parser.add_argument(
        "--plan", type=str, default="", help="YAML file of a plan to start from; default: the default plan"
    )
    parser.add_argument("--margin", type=float, default=MARGIN, help="how many times as strict each threshold may get")
    parser.add_argument("--all", action="store_true", help="a line for every threshold")
    parser.add_argument("--count-proved", action="store_true", help="count alarms about rows proved to be bad, too")


def run(arguments: Namespace) -> int:
    """Print the tables; print or write the plan."""
    out = Path(arguments.out) if arguments.out else None
    _refuse(arguments, out)
    given = yaml_of(Path(arguments.plan)) if arguments.plan else {}
    plan = plan_of(given)
    runs = [
        healthy(one, journal.read(Path(one)), count_proved=arguments.count_proved)
        for one in _shown(arguments.runs, "reading")
    ]
    judged = [judge(one, runs) for one in _shown(plan.detectors, "judging")]
    printed.text(calibrated.watched(arguments.runs, judged[0].ticks, sum(len(one.proved) for one in runs)))
    printed.table(calibrated.DETECTORS, calibrated.detectors(judged))
    if arguments.all:
        printed.table(calibrated.THRESHOLDS, calibrated.thresholds(judged))
    return _plan(given, judged, runs, arguments.margin, out)


def _shown(items: Sequence[T], what: str) -> Iterable[T]:
    """Go through items with a progress bar, on a terminal alone."""
    return track(items, description=what, transient=True, disable=not sys.stdout.isatty())


def _refuse(arguments: Namespace, out: Path | None) -> None:
    if out and out.exists() and not arguments.overwrite:
        raise ValueError(f"--out: {out} is there already; give another name, or --overwrite")
    if arguments.margin < 1:
        raise ValueError(f"--margin: expected 1 or more, got {arguments.margin}; {MARGIN} is the default")


def _plan(
    given: Mapping[str, Any], judged: Sequence[Judged], runs: Sequence[Healthy], margin: float, out: Path | None
) -> int:
    moved = {name_of(one.detector): loosened(one, runs, margin) for one in judged}
    changes = {name: one.changes for name, one in moved.items() if one.changes}
    still = [alarm for one in moved.values() for alarm in one.still]
    if still:
        printed.text(calibrated.remaining(still))
    if not changes:
        printed.text("Nothing needs changing: every threshold that can be moved is quiet, with the margin asked for.")
        return 1 if still else 0
    printed.table(calibrated.CHANGES, calibrated.changes(judged, changes))
    lines = yaml.safe_dump(plan_data(given, changes), sort_keys=False)
    if out is None:
        printed.text(f"The plan (--out writes it to a file):\n{lines}")
    else:
        out.write_text(
            f"# rerail calibrate, {len(runs)} healthy runs, {judged[0].ticks} ticks\n{lines}", encoding="utf8"
        )
        printed.text(f"plan: {out}\nnext: rerail replay {runs[0].name} --plan {out}")
    return 1 if still else 0
