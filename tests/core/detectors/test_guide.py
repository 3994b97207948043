"""Each line is a row of evaluations and the weights that follow from it."""

from __future__ import annotations

import math

import pytest

from rerail.core.detectors import Guide
from rerail.core.detectors.guide import guide_ladder
from rerail.core.knobs import Knobs
from rerail.core.reading import Reading
from rerail.core.remedy import Move, Remedy
from rerail.core.verdict import Plan, advance, settle, start

EVERY = 10
PLAN = Plan(detectors=(Guide(),), ladders={"alignment.guide": guide_ladder("attention")})


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


def test_a_level_holds_until_the_next_one_is_named_however_late_that_comes() -> None:
    memory = start(PLAN)
    aligned = {"eval/diagonality/forced": 0.9, "eval/diagonality/free": 0.8}
    for tick in (1, 2, 3):
        memory, verdict = advance(PLAN, memory, Reading(tick=tick, values=aligned))
        assert [one.code for one in verdict.findings] == ["alignment.guide"]
    for tick in range(4, 1000):
        memory, verdict = advance(PLAN, memory, Reading(tick=tick, values={**aligned} if tick == 500 else {}))
        assert memory.knobs().weights == {"attention": 0.0}
        assert not verdict.findings  # told when it changes, not for ever


def test_a_proved_remedy_of_the_same_tick_leaves_the_weight_alone() -> None:
    memory = start(PLAN)
    values = {"eval/diagonality/forced": 0.1, "eval/diagonality/free": 0.0}
    memory, verdict = advance(PLAN, memory, Reading(tick=1, values=values))
    memory, settled = settle(
        memory, verdict, "proved:weights::", Remedy(move=Move.REWIND, knobs=Knobs(lr_scale=0.1), hold=5), 1
    )
    assert settled.move is Move.REWIND
    assert memory.knobs().weights == {"attention": 3.0}
    assert memory.knobs().lr_scale == 0.1


def test_a_look_that_does_not_count_moves_nothing() -> None:
    seen = {"eval/diagonality/forced": 0.1, "eval/diagonality/free": 0.0}
    for more, found in (({}, 1), ({"look/uncounted": 1.0}, 0)):
        _, told = Guide().update(Guide().init(), Reading(tick=1, values={**seen, **more}))
        assert len(told) == found
