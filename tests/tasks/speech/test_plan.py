from __future__ import annotations

from rerail.core.plans import default_plan
from rerail.core.reading import Reading
from rerail.core.verdict import advance, start
from rerail.tasks.speech.plan import plan


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
    left = plan({"guide_moves": False})
    assert left.ladders == default_plan().ladders
    assert {type(one).__name__ for one in left.detectors} >= {"Stages", "Steady"}


def test_a_rate_is_lowered_where_nothing_is_gained_and_not_below_a_hundredth() -> None:
    lowering = plan({"guide_moves": False, "plateau_patience": 2, "plateau_factor": 0.5, "least_gain": 0.01})
    memory, rates = start(lowering), list[float]()
    for tick, error in enumerate([2.0, 1.0, 0.995, 1.0, float("nan"), 1.0, *[1.0] * 20, 0.5, 0.5], 1):
        memory, verdict = advance(lowering, memory, Reading(tick=tick, values={"loss/mel": 1.0, "eval/mel": error}))
        assert verdict.move.name == "COMMIT"
        assert verdict.healthy is not False
        rates.append(memory.knobs().lr_standing)
    assert rates[:8] == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert rates[-1] == 0.5**6  # the next would be below a hundredth


def test_the_weight_fades_once_the_text_is_read_unless_it_is_to_stay() -> None:
    read = {"loss/mel": 1.0, "eval/diagonality/forced": 0.8, "eval/diagonality/free": 0.9}
    for settings, weights in (({}, {"attention": 0.3}), ({"guide_fades": False}, {})):
        fading = plan(settings)
        memory, _ = advance(fading, start(fading), Reading(tick=1, values=read))
        assert memory.knobs().weights == weights
