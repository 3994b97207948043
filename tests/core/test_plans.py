from __future__ import annotations

import pytest
import torch

from rerail.act.commit import under
from rerail.core.detectors import Adapted, Spike
from rerail.core.knobs import Knobs
from rerail.core.plans import default_plan, lowering, plan_of, strict
from rerail.core.remedy import Ledger, Move, Remedy
from rerail.fit import FitConfig, problems
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


def test_several_detectors_of_a_kind_stay_in_a_plan_that_is_built_upon() -> None:
    base = plan({"adapt_every": 100})
    assert sum(isinstance(one, Adapted) for one in base.detectors) > 1
    assert plan_of({}, base) == base
    moved = plan_of({"detectors": {"spike": {"sigmas": 9.0}}}, base)
    assert [one for one in moved.detectors if not isinstance(one, Spike)] == [
        one for one in base.detectors if not isinstance(one, Spike)
    ]


def test_a_remedys_cut_is_a_share_of_the_rate_that_a_plateau_has_left() -> None:
    settings = {"plateau_patience": 1, "plateau_factor": 0.5, "least_gain": 0.0}
    lowered = lowering(default_plan(), "eval/mel", settings).ladders["rate.lowered"]
    ledger, _ = Ledger().answer("rate.lowered", lowered, 1, {"rung": 2.0})
    assert rate_under(ledger.knobs(2)) == pytest.approx(0.25)
    ledger = ledger.instead("step size", Remedy(move=Move.REWIND, knobs=Knobs(lr_scale=0.5), hold=5), 2, 100, 0.0)
    assert rate_under(ledger.knobs(3)) == pytest.approx(0.125)
    assert rate_under(ledger.knobs(20)) == pytest.approx(0.25)


@pytest.mark.parametrize("factor", [0.0, 0.999999, 1.0, 2.0, float("nan")])
def test_a_factor_that_hardly_lowers_is_refused(factor: float) -> None:
    settings = {"plateau_patience": 1, "plateau_factor": factor, "least_gain": 0.0}
    with pytest.raises(ValueError, match=r"plateau_factor: got .*; give 0\.01 to 0\.95"):
        lowering(default_plan(), "eval/mel", settings)
    assert problems([FitConfig(plateau_factor=factor)])


def rate_under(knobs: Knobs) -> float:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    with under([optimizer], knobs):
        return float(optimizer.param_groups[0]["lr"])
