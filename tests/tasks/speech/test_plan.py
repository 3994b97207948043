from __future__ import annotations

from rerail.core.plans import default_plan
from rerail.core.reading import Reading
from rerail.core.verdict import advance, start
from rerail.tasks.speech.plan import plan, plan_as_in


def test_a_run_that_reads_nothing_is_guided_more_and_told_so() -> None:
    guided = plan()
    memory = start(guided)
    values = {"step": 600.0, "loss/mel": 1.0, "eval/diagonality/forced": 0.1, "eval/diagonality/free": 0.0}
    memory, verdict = advance(guided, memory, Reading(tick=1, values=values))
    assert {one.code for one in verdict.findings} == {"alignment.guide", "stage.missed"}
    assert memory.knobs().weights == {"attention": 3.0}
    assert verdict.move.name == "COMMIT"
    assert verdict.healthy is None


def test_the_weight_is_left_alone_where_that_is_asked_for() -> None:
    left = plan(moves=False)
    assert left.ladders == default_plan().ladders
    assert {type(one).__name__ for one in left.detectors} >= {"Stages", "Steady"}


def test_a_journal_is_judged_again_by_the_plan_that_it_was_made_with() -> None:
    assert plan_as_in({"guide_moves": True, "lr": 1e-3}) == plan()
    assert plan_as_in({"guide_moves": False}) == plan(moves=False)
    assert plan_as_in({"lr": 1e-3}) is None
