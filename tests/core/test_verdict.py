from __future__ import annotations

import json
import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rerail.core.detectors import Explosion, NonFinite, Spike
from rerail.core.knobs import Knobs
from rerail.core.plans import default_plan, lowering, strict
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, Move, Remedy
from rerail.core.told import TOLD
from rerail.core.verdict import Memory, Plan, Verdict, advance, recall, remember, settle, start

numbers = st.floats(0.5, 2.0) | st.sampled_from([math.nan, math.inf, 1e3, 1e9])
rows = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=60)


def readings(table: list[tuple[float, float, float]]) -> list[Reading]:
    return [
        Reading(tick=tick, values={"loss/mel": mel, "loss/total": total, "grad/norm": norm, "step": float(tick)})
        for tick, (mel, total, norm) in enumerate(table, 1)
    ]


def judge(plan: Plan, seen: list[Reading]) -> tuple[Memory, list[Verdict]]:
    memory, verdicts = start(plan), []
    for reading in seen:
        memory, verdict = advance(plan, memory, reading)
        verdicts.append(verdict)
    return memory, verdicts


@settings(deadline=None)
@given(rows, st.permutations([NonFinite(), Spike(warmup=4), Explosion(warmup=4)]))
def test_the_order_of_detectors_never_matters(table: list[tuple[float, float, float]], order: list[object]) -> None:
    plan = replace(default_plan(), detectors=(NonFinite(), Spike(warmup=4), Explosion(warmup=4)))
    other = replace(plan, detectors=tuple(order))
    assert repr(judge(plan, readings(table))[1]) == repr(judge(other, readings(table))[1])


@settings(deadline=None)
@given(rows, st.integers(0, 60))
def test_memory_that_went_through_json_gives_the_same_verdicts(
    table: list[tuple[float, float, float]], cut: int
) -> None:
    plan, seen = default_plan(), readings(table)
    memory, verdicts = judge(plan, seen[:cut])
    memory = remember(plan, json.loads(json.dumps(recall(plan, memory), allow_nan=False)))
    for reading in seen[cut:]:
        memory, verdict = advance(plan, memory, reading)
        verdicts.append(verdict)
    assert repr(verdicts) == repr(judge(plan, seen)[1])


def test_a_detector_that_is_new_begins_with_empty_memory() -> None:
    plan = default_plan()
    memory, _ = judge(plan, readings([(1.0, 1.0, 1.0)] * 5))
    fewer = replace(plan, detectors=plan.detectors[:2])
    part, _ = judge(fewer, readings([(1.0, 1.0, 1.0)] * 5))
    again = remember(plan, recall(fewer, part))
    assert again.detectors[:2] == memory.detectors[:2]
    assert again.detectors[2:] == start(plan).detectors[2:]
    assert remember(fewer, recall(plan, memory)) == part


def test_one_accident_is_answered_once() -> None:
    plan = default_plan()
    _, (verdict,) = judge(
        plan, [Reading(tick=1, values={"loss/a": math.nan, "loss/b": math.inf, "loss/total": math.nan})]
    )
    assert [found.signal for found in verdict.findings] == ["loss/a", "loss/b"]
    assert verdict.move is Move.SKIP
    assert len(verdict.answers) == 1


def test_a_finding_without_a_ladder_is_told_and_not_answered() -> None:
    plan = replace(default_plan(), ladders={})
    _, (verdict,) = judge(plan, [Reading(tick=1, values={"loss/a": math.nan})])
    assert verdict.findings
    assert verdict.move is Move.COMMIT


def test_healthy_readings_give_plain_verdicts() -> None:
    table = [(1.0 + 0.01 * (tick % 7), 2.0, 1.0 + 0.1 * (tick % 5)) for tick in range(200)]
    _, verdicts = judge(default_plan(), readings(table))
    assert all(verdict.plain for verdict in verdicts)


def test_a_rate_that_stands_lowered_is_no_intervention_and_a_remedy_is() -> None:
    plan = lowering(default_plan(), "eval/mel", {"plateau_patience": 1, "plateau_factor": 0.5, "least_gain": 0.0})
    table = [(1.0 + 0.01 * (tick % 7), 2.0, 1.0 + 0.1 * (tick % 5)) for tick in range(60)]
    seen = readings(table)
    for place in (10, 20):  # nothing is gained
        seen[place] = replace(seen[place], values={**seen[place].values, "eval/mel": 1.0})
    memory, verdicts = judge(plan, seen)
    assert [verdict.tick for verdict in verdicts if not verdict.plain] == [21]
    assert verdicts[-1].knobs.lr_standing == 0.5
    slow = Remedy(move=Move.REWIND, knobs=Knobs(lr_scale=0.1), hold=20)
    memory, _ = settle(memory, verdicts[-1], "proved:step size::", slow, 60.0)
    _, verdict = advance(plan, memory, replace(seen[-1], tick=61))
    assert not verdict.plain


def test_the_longest_prefix_names_the_ladder() -> None:
    plan = default_plan()
    assert plan.ladder("nonfinite.weights") == "nonfinite.weights"
    assert plan.ladder("nonfinite.loss") == "nonfinite"
    assert plan.ladder("no.such") is None


def test_what_is_told_is_answered_by_a_ladder_of_its_full_name_alone() -> None:
    told = Reading(tick=1, values={"param/total": 1.0, "hidden/model.py:7": 3.0})
    for plan in (default_plan(), strict(default_plan())):
        assert all(plan.ladder(code) is None for code in TOLD)
        _, verdicts = judge(plan, [told, replace(told, tick=10)])
        assert [found.code for found in verdicts[-1].findings] == ["nan.hidden"]
        assert verdicts[-1].move is Move.COMMIT
    own = replace(plan, ladders={"nan.hidden": Ladder(rungs=(), window=100)})
    assert own.ladder("nan.hidden") == "nan.hidden"


def test_ladders_end_in_a_halt_when_nothing_helps() -> None:
    plan = default_plan()
    seen = [Reading(tick=tick, values={"loss/total": math.nan}) for tick in range(1, 20)]
    _, verdicts = judge(plan, seen)
    moves = [verdict.move for verdict in verdicts]
    assert moves[0] is Move.SKIP
    assert Move.REWIND in moves
    assert moves[-1] is Move.HALT
    assert moves == sorted(moves)
