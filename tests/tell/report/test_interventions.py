from __future__ import annotations

from rerail.tell.report import interventions
from rerail.tell.story import Intervention

SPIKE = {"code": "loss.spike", "signal": "loss/mel", "evidence": {"loss/mel": 61.2, "median": 1.0}}
REMEDY = {
    "code": "loss.spike",
    "signal": "loss/mel",
    "move": "REWIND",
    "knobs": {"lr_scale": 0.1},
    "hold": 4,
    "ramp": 2,
}
DID = {"move": "REWIND", "step_before": 8, "step_after": 5, "ids": ["a"], "again": 3}
EFFECT = {"after": 40, "before": {"loss/mel": 1.0}, "now": {"loss/mel": 0.9}}


def test_a_row_tells_the_whole_case() -> None:
    effects = [EFFECT | {"recovered": False}, EFFECT | {"after": 80, "recovered": True}]
    case = Intervention(tick=9, step=8, move="REWIND", findings=[SPIKE], remedies=[REMEDY], did=DID, effects=effects)
    (row,) = interventions.rows([case])
    assert row.seen == ("loss/mel jumped far above its usual range (61.2, median 1)",)
    assert row.reasons[0].startswith("The loss left its usual range")
    assert row.decided == ("go back to the last healthy snapshot; learning rate x0.1 for 4 ticks, then back over 2",)
    assert row.done == "went back from step 8 to step 5; batch of a; 3 batches trained again"
    assert row.effects == ("Not recovered after 40 ticks", "Recovered after 80 ticks")
    assert row.medians == (("loss/mel", "1", "0.9"),)
    assert row.recovered is True


def test_a_case_that_was_cut_short_is_still_a_row() -> None:
    (row,) = interventions.rows([Intervention(tick=9, step=8)])
    assert (row.move, row.seen, row.done, row.recovered) == ("COMMIT", (), "", None)


def test_a_proof_takes_the_place_of_the_ladder() -> None:
    proved = {"code": "proved:data", "move": "SKIP", "rows": [3], "quarantine": True, "proved": True}
    cause = {"cause": "data", "samples": ["a"]}
    (row,) = interventions.rows([Intervention(tick=9, step=8, move="REWIND", remedies=[REMEDY, proved], cause=cause)])
    assert row.decided == ("leave out row 3 and put its sample in quarantine",)
    assert (row.move, row.cause, row.proved) == ("SKIP", "Bad data (sample a)", True)
