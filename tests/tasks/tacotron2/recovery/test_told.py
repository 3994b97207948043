from __future__ import annotations

import math

from rerail.core.damage import Damage
from rerail.tasks.tacotron2.recovery import told
from rerail.tasks.tacotron2.recovery.decide import Looked
from rerail.tasks.tacotron2.recovery.forecast import Forecast


def looked(step: int, *damages: Damage) -> Looked:
    return Looked(name=f"step-{step:08d}", step=step, health="healthy", damages=damages)


def test_every_code_has_words() -> None:
    numbers = {"values": 3.0, "of": 9.0, "size": 5.0, "usual": 0.1, "norm": 1e6, "most": 1.0, "ratio": 1e5}
    numbers |= {"now": 0.1, "best": 0.9, "own": 0.01}
    for code, words in told.CAUSES.items():
        line = told.looked(looked(100, Damage(code=code, where="a.weight", numbers=numbers)))
        assert line.startswith("step    100  healthy     ")
        assert line.endswith(("(a.weight)", ""))
        assert words


def test_many_tensors_take_one_line_and_the_worst_is_counted() -> None:
    many = [Damage(code="weights.nonfinite", where=f"layer.{n}", numbers={"values": 10.0}) for n in range(9)]
    line = told.looked(looked(1, *many))
    assert "90 weights are not finite (layer.0, layer.1, layer.2 and 6 more)" in line


def test_the_causes_are_those_since_the_newest_sound_state_newest_first() -> None:
    judged = [
        looked(1, Damage(code="weights.far")),
        looked(2),
        looked(3, Damage(code="weights.nonfinite")),
        looked(4, Damage(code="file.damaged"), Damage(code="weights.nonfinite")),
    ]
    assert told.causes(judged) == ["a damaged checkpoint file", "weights that are not finite"]
    assert told.causes(judged[:2]) == []


def test_a_forecast_is_told_with_its_range_or_why_there_is_none() -> None:
    found = Forecast(least=0.7, step=1000.0, low=900.0, high=1500.0)
    line = told.coming(found, "diagonality/free", 600, [1.0, 3.0], delay=100)
    assert "diagonality/free >= 0.7: about step 1000, in 400 steps (8 of 10: 300 to 1000), or sooner" in line
    assert "13.3 min (10.0 min to 33.3 min) at 2 s a step" in line
    endless = told.coming(Forecast(least=0.7, step=1000.0, low=900.0), "x", 600, [], delay=0)
    assert "300 to not at all" in endless
    assert "s a step" not in endless
    none = told.coming(Forecast(least=0.7, why="the curve does not rise"), "x", 600, [math.pi], delay=0)
    assert none == "next stage, x >= 0.7: no forecast, since the curve does not rise"
