from __future__ import annotations

from rerail.core.knobs import Knobs
from rerail.core.plans import default_plan, strict
from rerail.core.remedy import Move
from rerail.tasks.speech.plan import plan


def test_a_strict_plan_halts_where_the_weights_are_in_doubt() -> None:
    ladders = strict(default_plan()).ladders
    for code in ("nonfinite", "nonfinite.weights", "loss.spike", "loss.outlier", "gradient.explosion"):
        assert ladders[code].remedy(0).move is Move.HALT


def test_it_answers_rows_and_knobs_as_before() -> None:
    before, after = plan().ladders, strict(plan()).ladders
    for code in ("nonfinite.input", "input.far", "scale.overflow", "alignment.guide", "optimizer.setting.lasting"):
        assert after[code] == before[code]
    assert after["alignment.guide"].remedy(4).knobs == Knobs(weights={"attention": 3.0})
