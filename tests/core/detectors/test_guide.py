"""Each line is a row of evaluations and the weights that follow from it."""

from __future__ import annotations

import math

import pytest

from rerail.core.detectors import Guide
from rerail.core.detectors.guide import guide_ladder
from rerail.core.reading import Reading
from rerail.core.verdict import Plan, advance, start

EVERY = 10
PLAN = Plan(detectors=(Guide(),), ladders={"alignment.guide": guide_ladder("attention", EVERY)})


def weights(evaluations: list[tuple[float, float]]) -> list[float]:
    """Return the weight in force at the tick after each evaluation."""
    memory, found = start(PLAN), []
    for forced, free in evaluations:
        for tick in range(EVERY):
            seen = {"eval/diagonality/forced": forced, "eval/diagonality/free": free} if tick == 0 else {}
            memory, verdict = advance(
                PLAN, memory, Reading(tick=memory.tick + 1, values={"loss/attention": 1.0, **seen})
            )
            assert verdict.move.name == "COMMIT"
            if tick == 0:
                found.append(round(memory.knobs().weights.get("attention", 1.0), 3))
    return found


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        ([(0.1, 0.0)] * 6, [3.0, 10.0, 30.0, 50.0, 50.0, 50.0]),
        ([(0.1, 0.0), (0.1, 0.0), (0.3, 0.1), (0.3, 0.1)], [3.0, 10.0, 10.0, 10.0]),
        ([(0.6, 0.3)] * 3, [1.0, 1.0, 1.0]),
        ([(0.9, 0.8)] * 4, [0.3, 0.1, 0.0, 0.0]),
        ([(0.9, 0.8), (0.9, 0.6), (0.9, 0.6)], [0.3, 0.3, 0.3]),
        ([(0.9, 0.8), (0.9, 0.8), (0.8, 0.4), (0.8, 0.4)], [0.3, 0.1, 0.3, 1.0]),
        ([(0.1, 0.0), (math.nan, math.nan)], [3.0, 3.0]),
    ],
)
def test_the_weight_follows_the_diagonality(evaluations: list[tuple[float, float]], expected: list[float]) -> None:
    assert weights(evaluations) == expected


def test_a_level_comes_down_by_and_by() -> None:
    memory = start(PLAN)
    memory, _ = advance(
        PLAN, memory, Reading(tick=1, values={"eval/diagonality/forced": 0.1, "eval/diagonality/free": 0.0})
    )
    seen = []
    for tick in range(2, 2 * EVERY + 4):
        seen.append(memory.knobs().weights.get("attention", 1.0))
        memory, _ = advance(PLAN, memory, Reading(tick=tick, values={"loss/attention": 1.0}))
    assert seen[: EVERY - 1] == [3.0] * (EVERY - 1)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 1.0
