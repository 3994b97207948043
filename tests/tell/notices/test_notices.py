"""What is told of a journal, and what is not."""

from __future__ import annotations

import pytest

import told_runs as runs
from rerail.core.notice import Level, Notice
from rerail.tell.notices import Cadence, Notices
from told_runs import RUNS, Record, did, nan, note, reading, recorded, spike, start, verdict

HOSTILE = "<b>x</b> *y* [z](http://w) \x1b[31mred\x1b[0m \u202eevil\nsecond {step}"
AT_ONCE = Cadence(every_steps=10, every_minutes=0)


def told(records: list[Record], cadence: Cadence | None = None, run: str = "first") -> list[Notice]:
    following = Notices(run) if cadence is None else Notices(run, cadence)
    return [*(notice for record in records for notice in following.take(record)), *following.rest()]


@pytest.mark.parametrize("name", RUNS)
def test_a_journal_and_what_is_told_of_it(name: str) -> None:
    records, codes = RUNS[name]
    assert [one.code for one in told(records)] == codes


@pytest.mark.parametrize("name", RUNS)
def test_the_same_journal_gives_the_same_notices_and_no_id_twice(name: str) -> None:
    notices = told(RUNS[name][0])
    assert notices == told(RUNS[name][0])
    assert len({one.id for one in notices}) == len(notices)
    assert all(character.isalnum() or character in "-." for one in notices for character in one.id)


def test_levels_are_critical_for_what_needs_somebody_and_success_for_what_was_waited_for() -> None:
    levels = {
        one.code: one.level for name, (records, _) in RUNS.items() if name != "a message" for one in told(records)
    }
    critical = {"nonfinite", "hidden", "restart", "halt", "critical", "hang", "recovered", "unsaved", "lost"}
    success = {"stage", "ready", "stable", "finished", "stopped", "went.on", "critical.over"}
    assert {code for code, level in levels.items() if level is Level.CRITICAL} == critical
    assert {code for code, level in levels.items() if level is Level.SUCCESS} == success
    assert {code for code, level in levels.items() if level is Level.PROGRESS} == {"started", "resumed", "progress"}
    assert told(RUNS["a message"][0])[0].level is Level.SUCCESS


def test_an_intervention_is_told_whole_and_only_once_it_is_done() -> None:
    following, records = Notices("first"), list(nan(5, 4))
    assert not any(following.take(record) for record in records[:-1])
    (notice,) = following.take(records[-1])
    told_of = {name: notice.values[name] for name in ("found", "kind", "proof", "replays", "move", "dropped", "origin")}
    assert told_of == {
        "found": "nonfinite.loss",
        "kind": "data",
        "proof": "proved",
        "replays": "3",
        "move": "SKIP",
        "dropped": "clip-5",
        "origin": "line",
    }
    assert (notice.tick, notice.step, notice.time) == (5, 4, runs.BEGAN + 5)
    assert notice.values["quarantine"] == "yes"
    assert not following.rest()


def test_what_the_plan_turns_on_its_way_back_is_told() -> None:
    (notice,) = told(RUNS["a way back"][0])
    turned = {name: notice.values[name] for name in ("lr_scale", "clip_norm", "precision", "hold", "before", "after")}
    assert turned == {
        "lr_scale": "0.1",
        "clip_norm": "0.5",
        "precision": "FP32",
        "hold": "20",
        "before": "8",
        "after": "5",
    }
    assert (notice.values["proof"], notice.values["again"], notice.values["lost"]) == ("none", "2", "1")


def test_what_was_gathered_when_the_process_died_is_told_without_what_is_not_known() -> None:
    (notice,) = told(list(nan(5, 4))[:4])
    assert (notice.code, notice.values["proof"], notice.values["move"]) == ("nonfinite", "cut", "open")


def test_a_hang_in_the_middle_of_a_proof_does_not_tear_the_intervention() -> None:
    records = list(nan(5, 4))
    notices = told([*records[:4], note(5, "hang", **runs.HANG), *records[4:]])
    assert [one.code for one in notices] == ["hang", "nonfinite"]
    assert notices[1].values["kind"] == "data"


def test_a_tick_that_is_judged_again_after_a_resume_is_told_again() -> None:
    notices = told([start(), *nan(5, 4), note(5, "resume", step=0, config={}), *nan(5, 4)])
    first, _, second = notices[1:]
    assert (first.topic, first.values) == (second.topic, second.values)
    assert first.id != second.id


def test_runs_of_the_same_name_have_other_ids() -> None:
    later = [{**record, "time": record["time"] + 1} for record in RUNS["a halt"][0]]
    assert not {one.id for one in told(later)} & {one.id for one in told(RUNS["a halt"][0])}
    assert not {one.id for one in told(later, run="other")} & {one.id for one in told(later)}


def test_ten_thousand_nans_share_a_few_topics() -> None:
    losses = ("loss/mel", "loss/gate", "loss/energy")
    judged = [verdict(n, "SKIP", runs.finding("nonfinite.loss", losses[n % 3])) for n in range(10_000)]
    notices = told([one for record in judged for one in (record, did(record["tick"], "SKIP", 4, 4))])
    assert len(notices) == len({one.id for one in notices}) == 10_000
    assert len({one.topic for one in notices}) == 3
    parameters = [verdict(n, "SKIP", runs.finding("nonfinite.gradient", f"grad/norm/layer.{n}")) for n in range(1, 50)]
    notices = told([one for record in parameters for one in (record, did(record["tick"], "SKIP", 4, 4))])
    assert len(notices) == 49
    assert len({one.topic for one in notices}) == 1


def test_whatever_users_name_is_one_printable_line_in_every_value() -> None:
    hostile = [
        note(0, "start", config={"steps": 10}, step=0),
        reading(1, 0, **{f"loss/{HOSTILE}": 1.0, f"eval/{HOSTILE}": 1.0}),
        verdict(1, "SKIP", runs.finding("nonfinite.loss", f"loss/{HOSTILE}")),
        runs.cause(1, "data", samples=[HOSTILE], component=HOSTILE, why=[HOSTILE]),
        did(1, "SKIP", 0, 0, dropped=[HOSTILE]),
        note(1, "notify", level="critical", message=HOSTILE),
        note(1, "hang", **{**runs.HANG, "where": [HOSTILE], "advice": HOSTILE}),
        note(1, "recovered", cause=[HOSTILE], **{"from": HOSTILE, "with": HOSTILE}),
        verdict(2, "COMMIT", runs.finding("nan.hidden", f"hidden/{HOSTILE}"), runs.stage("stage.reached", 1.0)),
        *(reading(tick, tick - 1, **{f"loss/{HOSTILE}": 1.0, f"eval/{HOSTILE}": 1.0}) for tick in range(2, 20)),
        note(20, "end", reason=HOSTILE),
    ]
    following = Notices(HOSTILE, AT_ONCE)
    notices = [one for record in hostile for one in following.take(record)]
    notices += [following.progress(), following.died(time=1.0, signal=HOSTILE)]
    assert {"nonfinite", "message", "hang", "recovered", "hidden", "stopped", "progress", "died"} <= {
        one.code for one in notices
    }
    for notice in notices:
        for value in notice.values.values():
            assert value.isprintable(), (notice.code, value)
    assert "<b>x</b>" in notices[0].values["run"]  # as text: what a service makes of it is the service's to escape


# -- progress ---------------------------------------------------------------------------------------------------------


def stepping(first: int, last: int, *, seconds: float = 1.0, tick: int = 0) -> list[Record]:
    """One reading a step, so many seconds apart; `tick` ticks were before them."""
    readings = []
    for number, step in enumerate(range(first, last), 1):
        at = runs.BEGAN + (tick + number) * seconds
        readings.append({**reading(tick + number, step, **{"time/step": seconds}), "time": at})
    return readings


def progress_steps(records: list[Record], cadence: Cadence | None = None) -> list[int]:
    return [one.step for one in told(records, cadence) if one.code == "progress"]


def test_progress_comes_every_hundred_steps_where_these_take_long() -> None:
    assert progress_steps([start(), *stepping(0, 501, seconds=10)]) == [100, 200, 300, 400, 500]


def test_progress_comes_at_most_once_in_ten_minutes() -> None:
    assert progress_steps([start(), *stepping(0, 2000)]) == [100, 700, 1300, 1900]


@pytest.mark.parametrize(
    ("cadence", "steps"),
    [
        (Cadence(every_steps=0), []),
        (Cadence(every_steps=50, every_minutes=0), [50, 100, 150, 200]),
        (Cadence(every_steps=100, every_minutes=1), [100, 200]),
        (Cadence(every_steps=1, every_minutes=1), [1, 61, 121, 181]),
    ],
)
def test_how_often_progress_comes_can_be_chosen(cadence: Cadence, steps: list[int]) -> None:
    assert progress_steps([start(), *stepping(0, 201)], cadence) == steps


def test_steps_that_are_met_again_after_a_rewind_are_not_told_again() -> None:
    records = [start(), *stepping(0, 111)]
    for back in range(8):  # to and fro over step 100
        tick = 111 + 26 * back
        records += [*spike(tick, 110, 85), *stepping(85, 111, tick=tick)]
    records += stepping(111, 211, tick=111 + 26 * 8)
    assert progress_steps(records, Cadence(every_minutes=0)) == [100, 200]
    assert [one.code for one in told(records)].count("restart") == 8


def test_a_resume_from_an_older_state_counts_from_there() -> None:
    records = [start(), *stepping(0, 101), note(101, "resume", step=40, config={"steps": 1000})]
    assert progress_steps([*records, *stepping(40, 150, tick=101)], Cadence(every_minutes=0)) == [100, 140]


def test_a_clock_that_goes_back_does_not_double_progress() -> None:
    records = [start(), *stepping(0, 150), *stepping(150, 400, tick=-100)]
    assert progress_steps(records) == [100]


def test_progress_tells_how_the_run_stands() -> None:
    records = [note(0, "start", config={"steps": 400}, step=0)]
    for one in stepping(0, 120, seconds=2.0):
        one["values"] |= {"loss/total": 9.0, "loss/gate": 0.1}
        records.append(one)
    change = {"setting": "learning rate", "before": "1", "after": "0.1", "why": "it overshoots"}
    expect = {"signal": "loss/mel", "direction": "falls", "within": 50}
    shown = {"step": 90, "media": "image/png", "caption": ""}
    records[60:60] = [
        {**reading(60, 59, **{"eval/mel": 0.8}), "time": runs.BEGAN + 119},
        verdict(60, "COMMIT", runs.stage("stage.reached", 60.0)),
        runs.record("advice", 60, code="loss.plateau", signal="loss/mel", expect=expect, **change),
        runs.record("artifact", 60, name="alignment", path="artifacts/a.png", **shown),
        runs.record("artifact", 60, name="spectrum", path="artifacts/s.png", **shown),
        runs.record("artifact", 60, name="alignment", path="../../secrets.png", **shown),
        runs.record("artifact", 60, name="voice", path="artifacts/v.wav", step=90, media="audio/wav"),
    ]
    records.insert(-40, verdict(80, "SKIP", runs.finding("loss.outlier", "loss/mel")))
    records.insert(-40, did(80, "SKIP", 79, 79))
    (notice,) = [one for one in told(records) if one.code == "progress"]
    values = notice.values
    assert (values["step"], values["of"], values["share"]) == ("100", "400", "25")
    assert values["losses"] == "loss/gate 0.1, loss/mel 1"  # unweighted: no total
    assert (values["held_out"], values["stage"]) == ("eval/mel 0.8", "eval/quality 71 (\u2265 60)")
    assert (values["speed"], values["left"], values["skipped"], values["calm"]) == ("2", "9 min", "1", "")
    assert values["advice"].startswith("Change learning rate: 1 -> 0.1. It overshoots.")
    assert values["ends"].endswith("UTC")
    assert notice.pictures == ("artifacts/a.png",)


def test_advice_is_told_once_and_again_when_asked_for() -> None:
    change = {"setting": "lr", "before": "1", "after": "0.1", "why": "w", "expect": {"signal": "s", "within": 5}}
    following = Notices("first", Cadence(every_steps=10, every_minutes=0))
    records = [runs.record("advice", 1, code="loss.plateau", signal="s", **change), *stepping(0, 21)]
    advised = [bool(one.values["advice"]) for record in records for one in following.take(record)]
    assert advised == [True, False]
    assert following.progress().values["advice"]


def test_losses_are_those_of_committed_steps() -> None:
    records = stepping(0, 10)
    records.append(reading(11, 9, loss__mel="nan"))  # the same step, tried again, and not yet committed
    following = Notices("first")
    for record in records:
        following.take(record)
    assert following.progress().values["losses"] == "loss/mel 1"


def test_a_cadence_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got every_steps -1, every_minutes 10.0; give 0 or more"):
        Cadence(every_steps=-1)
    with pytest.raises(ValueError, match="every_minutes nan"):
        Cadence(every_minutes=float("nan"))


# -- what no journal tells --------------------------------------------------------------------------------------------


def followed() -> Notices:
    following = Notices("first")
    saved = runs.record("snapshot", 60, event="saved", step=50, path="checkpoints/step-50")
    for record in [start(), *stepping(0, 60), saved, *stepping(60, 70, tick=60)]:
        following.take(record)
    return following


def test_a_death_is_told_with_its_signal_the_last_step_and_what_is_left() -> None:
    notice = followed().died(time=runs.BEGAN + 100, signal="SIGKILL")
    assert (notice.level, notice.code, notice.step, notice.time) == (Level.CRITICAL, "died", 69, runs.BEGAN + 100)
    left = {name: notice.values[name] for name in ("cause", "saved", "lost", "losses", "since")}
    assert left == {"cause": "SIGKILL", "saved": "50", "lost": "19", "losses": "loss/mel 1", "since": "30 s"}
    assert notice.id == followed().died(time=runs.BEGAN + 200, signal="SIGKILL").id  # however often it is looked at


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"signal": "SIGSEGV"}, "SIGSEGV"),
        ({"signal": "SIGUSR1"}, "signal"),
        ({"exit_code": 1}, "code"),
        ({"exit_code": 0}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_why_a_process_died(seen: dict[str, int | str], why: str) -> None:
    assert followed().died(time=1.0, **seen).values["cause"] == why  # type: ignore[arg-type]


def test_a_run_that_dies_before_it_writes_is_told_too() -> None:
    notice = Notices("first").died(time=1.0, exit_code=2)
    assert (notice.step, notice.values["kept"], notice.values["since"]) == (0, "none", "")


def test_a_checkpoint_past_a_rewind_is_given_up() -> None:
    following = followed()
    for record in spike(71, 70, 40):
        following.take(record)
    assert following.died(time=1.0).values["kept"] == "none"


def test_after_a_silence_that_was_told_the_next_record_tells_that_the_run_goes_on() -> None:
    following = followed()
    told_at = following.silent(time=runs.BEGAN + 700, seconds=630.0)
    assert (told_at.code, told_at.values["silent"], told_at.tick) == ("silent", "10 min", 70)
    assert [one.code for one in following.take(reading(800, 70))] == ["went.on"]
    assert following.take(reading(801, 71)) == []
    following.silent(time=runs.BEGAN + 2000, seconds=1200.0)
    went_on = note(2000, "went on", silent=1200.0, inside=False)
    assert [one.code for one in following.take(went_on)] == ["went.on"]  # once, though both know


def test_each_silence_and_each_death_has_an_id_of_its_own() -> None:
    following = followed()
    first = following.silent(time=1.0, seconds=1.0).id
    assert following.silent(time=2.0, seconds=2.0).id == first
    following.take(note(90, "paused"))
    ids = [first, following.silent(time=3.0, seconds=3.0).id, following.died(time=1.0).id]
    following.take(note(91, "resume", step=40))
    ids.append(following.died(time=1.0).id)
    assert len(set(ids)) == len(ids)


def test_an_end_is_told_with_its_own_step() -> None:
    records = [start(), *stepping(0, 5), note(5, "end", reason="finished", step=5)]
    assert told(records)[-1].values["step"] == "5"
    assert told([*records[:-1], note(5, "end", reason="finished")])[-1].step == 4  # of an older journal


def test_losses_of_a_step_that_lies_ahead_again_are_no_comparison() -> None:
    records = [start(), *stepping(0, 101), note(101, "resume", step=0)]
    last = told([*records, *stepping(0, 101, tick=101)], Cadence(every_minutes=0))[-1]
    assert (last.step, last.values["compared"]) == (100, "")
    assert last.values["losses"]


def test_real_runs_are_told_in_few_notices() -> None:
    demo = told(recorded("demo"))
    assert [one.topic for one in demo if one.level is Level.CRITICAL] == [
        "nonfinite:nonfinite.input",
        "restart:loss.spike:loss/attention",
        "nonfinite:nonfinite.loss:loss/energy",
    ]
    assert demo[4].pictures == ("artifacts/alignment-00000100.png",)
