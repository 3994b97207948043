from __future__ import annotations

import math

from rerail.core.detectors import Stage, Stages
from rerail.core.reading import Reading

STAGES = Stages(
    stages=(
        Stage(signal="eval/diagonality/free", least=0.1, by=500),
        Stage(signal="eval/diagonality/free", least=0.3, by=2000),
        Stage(signal="eval/quality", least=60.0, by=3000),
    )
)


def told(*evaluations: tuple[int, float, float]) -> list[tuple[int, str, str]]:
    memory, found = STAGES.init(), []
    for tick, (step, diagonality, quality) in enumerate(evaluations, 1):
        values = {"step": float(step), "eval/diagonality/free": diagonality, "eval/quality": quality}
        memory, findings = STAGES.update(memory, Reading(tick=tick, values=values))
        found += [(step, one.code, one.signal) for one in findings]
    return found


def test_each_stage_is_told_once_and_the_last_one_is_ready() -> None:
    assert told((100, 0.05, 1.0), (200, 0.2, 5.0), (300, 0.5, 10.0), (400, 0.5, 61.0), (500, 0.9, 90.0)) == [
        (200, "stage.reached", "eval/diagonality/free"),
        (300, "stage.reached", "eval/diagonality/free"),
        (400, "stage.ready", "eval/quality"),
    ]


def test_a_late_stage_is_told_once_and_may_still_be_reached() -> None:
    assert told((600, 0.05, 1.0), (700, 0.06, 1.0), (800, 0.2, 1.0), (2100, 0.25, 1.0)) == [
        (600, "stage.missed", "eval/diagonality/free"),
        (800, "stage.reached", "eval/diagonality/free"),
        (2100, "stage.missed", "eval/diagonality/free"),
    ]


def test_a_number_that_is_not_finite_reaches_nothing() -> None:
    assert told((100, math.nan, math.nan), (501, math.nan, math.nan)) == [
        (501, "stage.missed", "eval/diagonality/free")
    ]


def test_every_stage_that_is_late_is_told_where_it_was_measured() -> None:
    assert told((600, 0.05, 1.0), (2100, 0.05, 1.0), (3100, 0.05, 1.0), (4000, 0.05, 1.0)) == [
        (600, "stage.missed", "eval/diagonality/free"),
        (2100, "stage.missed", "eval/diagonality/free"),
        (3100, "stage.missed", "eval/quality"),
    ]
    _, found = STAGES.update(STAGES.init(), Reading(tick=1, values={"step": 501.0}))
    assert not found  # nothing was measured yet
