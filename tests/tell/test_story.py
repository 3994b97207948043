from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import story

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

KNOBS = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "as_run", "weights": {}}
SPIKE = {"code": "loss.spike", "signal": "loss/mel", "evidence": {}}


def test_one_intervention_gathers_verdict_remedy_and_outcomes(make: Make) -> None:
    records = [
        make("reading", 9, values={"step": 8, "loss/total": 1.0}),
        make("verdict", 9, move="REWIND", knobs=KNOBS, findings=[SPIKE]),
        make("remedy", 9, code="loss.spike", signal="loss/mel", move="REWIND"),
        make("outcome", 9, of=9, did={"move": "REWIND", "step_before": 8, "step_after": 5}),
        make("verdict", 10, move="COMMIT", knobs=KNOBS, findings=[]),
        make("outcome", 49, of=9, after=40, recovered=True),
    ]
    run = story.gather(records, name="x")
    assert len(run.interventions) == 1
    (case,) = run.interventions
    assert (case.tick, case.step, case.move, len(case.remedies), len(case.effects)) == (9, 8, "REWIND", 1, 1)
    assert run.knobs == [(9, KNOBS), (10, KNOBS)]


def test_a_proof_belongs_to_its_intervention_and_takes_the_place_of_the_ladder(make: Make) -> None:
    records = [
        make("verdict", 9, move="SKIP", knobs=KNOBS, findings=[SPIKE]),
        make("remedy", 9, code="loss.spike", signal="loss/mel", move="SKIP"),
        make("trial", 9, number=1, changed={}, healthy=False),
        make("cause", 9, cause="weights"),
        make("remedy", 9, code="proved:weights", move="HALT", proved=True),
        make("note", 9, text="evidence kept", data={"path": "evidence/tick-9"}),
    ]
    run = story.gather(records, name="x")
    (case,) = run.interventions
    assert (len(case.trials), case.cause["cause"], case.evidence) == (1, "weights", "evidence/tick-9")
    assert (case.moved, case.adopted) == ("HALT", [case.proved])
    assert run.remarks[0].startswith("tick 9: Evidence kept in evidence/tick-9")


def test_a_ladder_that_answered_alone_is_what_was_adopted(make: Make) -> None:
    records = [make("verdict", 9, move="SKIP", findings=[SPIKE]), make("remedy", 9, code="loss.spike", move="SKIP")]
    (case,) = story.gather(records, name="x").interventions
    assert (case.moved, len(case.adopted), case.proved, case.recovered) == ("SKIP", 1, {}, None)


def test_a_released_sample_is_in_quarantine_no_more(make: Make) -> None:
    records = [
        make("note", 7, text="quarantined", data={"ids": ["b", "a"]}),
        make("note", 9, text="released from quarantine", data={"ids": ["b"]}),
    ]
    run = story.gather(records, name="x")
    assert [kept.sample for kept in run.quarantined] == ["a"]
    assert "Let out of quarantine: b." in run.remarks[0]


def test_quarantined_samples_are_no_remark(make: Make) -> None:
    records = [
        make("reading", 7, values={"step": 6}),
        make("note", 7, text="quarantined", data={"ids": ["b", "a\x1b"]}),
    ]
    run = story.gather(records, name="x")
    assert [(kept.sample, kept.tick, kept.step) for kept in run.quarantined] == [("b", 7, 6), ("a\\x1b", 7, 6)]
    assert run.remarks == []


def test_a_tick_judged_again_after_a_resume_is_a_second_intervention(make: Make) -> None:
    once = [
        make("verdict", 9, move="SKIP", knobs=KNOBS, findings=[SPIKE]),
        make("remedy", 9, code="loss.spike", signal="loss/mel", move="SKIP"),
    ]
    run = story.gather([*once, make("note", 5, text="start", data={"config": {"a": 1}}), *once], name="x")
    assert [len(case.remedies) for case in run.interventions] == [1, 1]
    assert run.config == {"a": 1}


@pytest.mark.parametrize("begins", ["start", "resume"])
def test_time_between_sessions_does_not_count(make: Make, begins: str) -> None:
    records = [
        make("note", 0, text="start", data={}) | {"time": 100.0},
        make("reading", 1, values={}) | {"time": 110.0},
        make("note", 1, text=begins, data={"config": {"a": 2}}) | {"time": 9000.0},
        make("note", 2, text="end", data={"reason": "finished", "step": 2}) | {"time": 9005.0},
    ]
    run = story.gather(records, name="x")
    assert (run.seconds, run.sessions, run.began) == (15.0, 2, 100.0)
    assert (run.config, run.end) == ({"a": 2}, {"reason": "finished", "step": 2})


def test_series_keep_lost_values_and_unknown_kinds_are_passed_over(make: Make) -> None:
    run = story.gather([make("reading", 1, values={"loss/a": "nan"}), make("request", 1), make("story", 1)], name="x")
    assert len(run.series["loss/a"].values) == 1
    assert run.series["loss/a"].ticks == [1]


def test_artifacts_come_in_step_order(make: Make) -> None:
    records = [make("artifact", 9, step=step, name=str(step)) for step in (200, 100)]
    assert [record["step"] for record in story.gather(records, name="x").artifacts] == [100, 200]


def test_an_empty_journal_is_a_story_too() -> None:
    run = story.gather([], name="x")
    assert (run.last_tick, run.last_step, run.began, run.series) == (0, None, None, {})
