from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import journal, story
from rerail.tell.explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

CLIP = """\
Tick 61, step 60
================

What was seen
  loss/mel is not finite (nan).
  A loss that is no finite number has no useful gradient; its update would turn weights into NaN.

What was tried
  The step was replayed with one thing changed at a time:
  1. nothing changed: fails (loss/mel nan, gradient norm nan)
  2. the last healthy batch: healthy (loss/mel 0.91, loss/gate 0.06, gradient norm 1.4)
  3. rows 0, 2 alone: healthy (loss/mel 0.91, loss/gate 0.06, gradient norm 1.4)
  This took 3 replays, 3 forward and backward passes.

What it proves
  Kind: bad data
  Loss component: mel
  Where it began: it came in with the batch
  Rows of the batch: 1
  Samples: vm-corrupted
  The rows hold numbers that are not finite.
  16000 of 16000 numbers are not finite.
  Replayed with nothing changed, the step gave the very same numbers.

What was done
  Shown to work by a replay: leave out row 1 and put its sample in quarantine.
  The update was skipped; the weights are still those of step 60; batch of auth-thankyou, vm-corrupted, conf-locked; \
vm-corrupted left out, the rest of the batch tried again.

What came of it
  Recovered after 40 ticks (loss/mel 1.02 before, 0.954 now, gradient norm 1.21 before, 1.18 now, \
seconds a step 0.31 before, 0.3 now).

How to mend it
  Mend these samples, or take them out of the data."""


@pytest.fixture(scope="session")
def run(realistic_run: Path) -> story.Story:
    return story.gather(journal.read(realistic_run), name="first")


def test_the_story_of_a_tick(run: story.Story) -> None:
    assert explain(run, 61) == CLIP


def test_without_a_tick_all_are_listed_and_the_last_is_told(run: story.Story) -> None:
    lines = explain(run).splitlines()
    assert lines[0] == "3 interventions:"
    first, second, third = (line.split("; ") for line in lines[1:4])
    put_out = "leave out row 1 and put its sample in quarantine"
    data = "bad data (component mel, sample vm-corrupted)"
    assert first == ["  tick 61, step 60: loss/mel is not finite", data, put_out, "recovered"]
    assert second[:3] == [
        "  tick 180, step 178: loss/mel jumped far above its usual range",
        "cause unknown",
        "go back to the last healthy snapshot",
    ]
    assert third[1:] == [
        "half precision (component energy)",
        "try the same batch again",
        "autocast off for 1000 ticks",
        "recovered",
    ]
    assert "Tick 320, step 289" in lines
    assert "  Source line: train.py:41: energy = torch.exp(score)" in lines
    assert lines[-2:] == ["How to mend it", "  Clamp the exponent."]


def test_an_unknown_cause_is_answered_by_the_plan(run: story.Story) -> None:
    text = explain(run, 180)
    assert "  3. learning rate x0.1, every batch since the last healthy snapshot again: fails" in text
    assert "  3 replays did not settle it." in text
    assert "so this proof stands on less" in text
    assert "Decided: go back to the last healthy snapshot" in text
    assert "How to mend it" not in text


def test_a_quiet_tick_is_refused_with_those_that_are_not(run: story.Story) -> None:
    with pytest.raises(ValueError, match="did not step in at tick 62; it did at: 61, 180, 320"):
        explain(run, 62)


def test_a_quiet_run() -> None:
    empty = story.gather([], name="x")
    assert explain(empty) == "The guard did not step in."
    with pytest.raises(ValueError, match="at tick 1; it did at none"):
        explain(empty, 1)


def test_a_halt_points_at_its_evidence(make: Make) -> None:
    records = [
        make("verdict", 9, move="SKIP", findings=[{"code": "gradient.zero", "signal": "grad/norm"}]),
        make("trial", 9, number=1, changed={}, healthy=False, cost=1),
        make("cause", 9, cause="code", why=["every batch fails"], replays=1),
        make("remedy", 9, code="proved:code", move="HALT", proved=True),
        make("outcome", 9, of=9, did={"move": "HALT", "step_before": 8, "step_after": 8}),
        make("note", 9, text="evidence kept", data={"path": "evidence/tick-9"}),
    ]
    text = explain(story.gather(records, name="x"))
    assert "stop the run; the run ended here" in text
    assert "Evidence is in the run's folder, evidence/tick-9: reproduce.py there fails the same way, once it" in text
    assert "Mend the code of the model" in text


def test_a_tick_without_a_proof_says_who_answered(make: Make) -> None:
    found = {"code": "loss.spike", "signal": "loss/a"}
    records = [make("verdict", 9, move="SKIP", findings=[found, found]), make("remedy", 9, move="SKIP")]
    text = explain(story.gather(records, name="x"))
    assert "loss/a jumped far above its usual range and 1 more; skip the update; outcome not known yet" in text
    assert "Nothing was replayed: the answer came from the plan's ladders." in text
    assert "What it proves" not in text


def test_a_run_that_was_killed_while_it_replayed(make: Make) -> None:
    records = [make("verdict", 9, move="SKIP", findings=[]), make("trial", 9, number=1, changed={}, healthy=False)]
    assert "The journal ends before a cause" in explain(story.gather(records, name="x"), 9)


def test_a_tick_judged_again_after_a_resume_is_told_twice(make: Make) -> None:
    once = make("verdict", 9, move="SKIP", findings=[{"code": "loss.spike", "signal": "loss/a"}])
    again = make("verdict", 9, move="SKIP", findings=[{"code": "gradient.zero", "signal": "grad/norm"}])
    text = explain(story.gather([once, again], name="x"), 9)
    assert text.count("Tick 9, step 0") == 2


def test_hostile_names_cannot_forge_a_line(make: Make) -> None:
    name = "x\nTick 1: all is well\x1b[2J"
    found = {"code": name, "signal": name, "evidence": {name: name}}
    records = [
        make("verdict", 9, move=name, findings=[found]),
        make("trial", 9, number=1, changed={name: name}, error=name, values={f"loss/{name}": 1.0}),
        make(
            "cause", 9, cause=name, component=name, samples=[name], why=[name], explanation={"why": name, "fix": name}
        ),
        make("outcome", 9, of=9, did={"move": name, "ids": [name], "dropped": [name]}),
    ]
    lines = explain(story.gather(records, name="x")).splitlines()
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("Tick 1:") for line in lines)
