"""Make docs/calibration.md: how far every threshold is from a false alarm in healthy runs, and how often each is raised.

    python -m faultbench.calibration          # plays what has no journal in the cache yet, then judges all of them

Margins come from the controls that are not kept back, seeds 0 to 2. Seeds 3 and 4 of these, and whole controls that are
kept back, are judged with what came out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from faultbench.calibration_page import Found, Heard, page
from faultbench.recording import Recording, record_all, recordings
from rerail.core.calibrate import NORMAL, alarms, healthy, judge, loosened
from rerail.core.detectors import DEFAULT
from rerail.tell import journal

OPEN_SEEDS, KEPT_SEEDS = (0, 1, 2), (3, 4)


@dataclass(slots=True)
class Shelf:
    """The runs of one process: read once, judged by many detectors."""

    heard: tuple[Heard, ...] = ()


SHELF = Shelf()


def hear(every: Sequence[Recording]) -> tuple[Heard, ...]:
    """Read the journals. All alarms count: in a control nothing is wrong, whatever was proved."""
    return tuple(_heard(one, list(journal.read(one.folder))) for one in every)


def _heard(one: Recording, records: Sequence[Mapping[str, Any]]) -> Heard:
    normal = {
        each["tick"]
        for each in records
        if each["kind"] == "verdict" and {found["code"] for found in each["findings"]} <= NORMAL
    }
    did = [each for each in records if each["kind"] == "outcome" and "did" in each and each["of"] not in normal]
    run = healthy(one.name, records, count_proved=True)
    return Heard(run=run, kept_back=one.kept_back, control=one.control, interventions=len(did))


def judged(number: int) -> Found:
    """Judge all runs with one detector of the default plan, by its number."""
    open_runs = [one.run for one in SHELF.heard if not one.kept_back]
    kept = [one.run for one in SHELF.heard if one.kept_back]
    detector = DEFAULT[number]
    made = judge(detector, open_runs)
    plan = loosened(made, open_runs)
    noisy = {one.run for one in made.alarms}
    silent = [run for run in open_runs if run.name not in noisy]
    return Found(
        judged=made,
        elsewhere=judge(detector, silent) if noisy else None,
        silent=len(silent),
        kept=tuple(alarms(detector, kept)),
        kept_ticks=sum(len(one.readings) for one in kept),
        plan=plan,
        kept_with_plan=tuple(alarms(plan.detector, kept)),
    )


def judge_all(every: Sequence[Recording], workers: int) -> Iterator[Found]:
    """Judge with every detector, some at a time."""
    with ProcessPoolExecutor(workers, initializer=_read, initargs=(every,)) as pool:
        made = pool.map(judged, range(len(DEFAULT)))
        yield from track(made, description="detectors", total=len(DEFAULT))


def _read(every: Sequence[Recording]) -> None:
    SHELF.heard = hear(every)


def main() -> None:
    """Play, judge, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.md"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/calibration"), help="where the journals are kept")
    parser.add_argument("--afresh", action="store_true", help="play every run again")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    every = list(recordings(given.cache, OPEN_SEEDS, KEPT_SEEDS))
    record_all(every, given.workers, afresh=given.afresh)
    found = list(judge_all(every, given.workers))
    given.out.write_text(page(hear(every), found, OPEN_SEEDS, KEPT_SEEDS), encoding="utf8")


if __name__ == "__main__":
    main()
