from __future__ import annotations

from pathlib import Path

import pytest

from rerail.tell.compare import asked
from rerail.tell.compare.levels import At
from written_runs import compared, falling, run


def test_what_was_typed_is_read() -> None:
    found, wrong = asked.parsed(["steps=1000", "time=2.5"], ["eval/a=b=0.8", "loss/x=-1e-3"], ["loss/*"])
    assert wrong == []
    assert found.at == [At(axis="steps", place=1000), At(axis="time", place=2.5)]
    assert found.reach == {"eval/a=b": 0.8, "loss/x": -1e-3}
    assert found.shows("loss/mel")
    assert not found.shows("eval/mel")


def test_everything_that_is_wrong_is_named_at_once() -> None:
    typed = ["epochs=3", "steps", "steps=0", "time=soon", "steps=nan"]
    _, wrong = asked.parsed(typed, ["eval/mel", "=3", "a\x1b[31m=x"], [])
    assert len(wrong) == 8
    assert wrong[0] == "--at: got epochs=3; give steps, samples, time with a number, as steps=1000"
    assert wrong[-1] == "--reach: got a\\x1b[31m=x; give a signal with a number, as eval/mel=0.8"


def test_what_the_runs_cannot_show_is_named_at_once(tmp_path: Path) -> None:
    made = [run(tmp_path / str(steps), falling(1.0), steps=steps, lr=steps) for steps in (11, 31)]
    typed = {
        "at": [At(axis="steps", place=20), At(axis="samples", place=1)],
        "reach": {"loss/mle": 1.0},
        "only": ["x*"],
    }
    with pytest.raises(ValueError, match="4 thing") as caught:
        compared(made, **typed)
    said = str(caught.value)
    assert "no run has read loss/mle; did you mean loss/mel?" in said
    assert "no run has read x*; they have: loss/mel" in said
    assert "steps=20: 11 ends at 10; give what all of them reached" in said
    assert "samples=1: 11 does not tell its own, 31 does not tell its own" in said


def test_places_and_signals_are_those_that_were_asked_for(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), falling(1.0, eval__a=1.0), lr=lr) for lr in (1, 2)]
    told = compared(made, at=[At(axis="steps", place=20), At(axis="steps", place=10)], only=["eval/*"])
    assert [(row.signal, row.at.axis, row.at.place) for row in told.rows] == [
        ("eval/a", "steps", 20),
        ("eval/a", "steps", 10),
        ("eval/a", "time", 40),
    ]
