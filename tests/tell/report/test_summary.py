from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import story
from rerail.tell.report import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]


def end(make: Make, reason: str = "finished") -> dict[str, Any]:
    return make("note", 10, text="end", data={"reason": reason, "step": 9})


def test_a_quiet_run(make: Make) -> None:
    records = [make("reading", tick, values={"step": tick, "loss/total": 10.0 - tick}) for tick in range(1, 10)]
    records.append(make("reading", 9, values={"step": 9, "eval/mel": 0.5}))
    assert summary.sentences(story.gather([*records, end(make)], name="x")) == [
        "The run finished at step 9, after 10 ticks and 3 s.",
        "The guard did not step in.",
        "Over the run, loss/total went from 8.5 to 1.5; on held-out data it ended with eval/mel 0.5.",
    ]


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "what came of it is not known yet"),
        ([(1, True)], "the run recovered after 1 of 1 judged so far"),
        ([(1, True), (2, False)], "the run recovered after 1 of 2"),
        ([(1, True), (2, True)], "the run recovered after each"),
    ],
)
def test_a_guarded_run(make: Make, outcomes: list[tuple[int, bool]], text: str) -> None:
    records = [make("verdict", tick, move=move, findings=[]) for tick, move in ((1, "SKIP"), (2, "REWIND"))]
    records += [make("outcome", 9, of=of, after=4, recovered=recovered) for of, recovered in outcomes]
    sentence = summary.sentences(story.gather(records, name="x"))[1]
    acts = "it skipped 1 update and went back to a healthy snapshot once"
    assert sentence == f"The guard stepped in twice: {acts}; {text}."


def test_proved_causes_are_counted(make: Make) -> None:
    records = [make("verdict", tick, move="SKIP", findings=[]) for tick in (1, 2, 3, 4)]
    kinds = {1: "data", 2: "code", 3: "unknown", 4: "data"}
    records += [make("cause", tick, cause=kind) for tick, kind in kinds.items()]
    sentence = summary.sentences(story.gather(records, name="x"))[1]
    assert sentence.endswith("not known yet. Causes proved: bad data twice, a fault in the code once.")


def test_a_run_without_end_and_readings(make: Make) -> None:
    first, _, last = summary.sentences(story.gather([make("note", 0, text="start", data={})], name="x"))
    assert first.startswith("The run has no end in its journal (it is still running, or was killed)")
    assert last == "No reading was written, so there are no figures to show."


def test_a_run_that_was_halted_says_so(make: Make) -> None:
    assert "was halted by the guard at step 9" in summary.sentences(story.gather([end(make, "halted")], name="x"))[0]


def test_an_unknown_move_is_told_as_it_is(make: Make) -> None:
    run = story.gather([make("verdict", 1, move="{0.__class__}", findings=[])], name="x")
    assert "it chose {0.__class__} once" in summary.sentences(run)[1]


def test_levels_count_lost_values_and_keep_them_out_of_medians(make: Make) -> None:
    values = [4.0, "nan", 2.0, "inf"]
    run = story.gather([make("reading", tick, values={"loss/a": value}) for tick, value in enumerate(values)], name="x")
    (level,) = summary.levels(run.series)
    assert (level.start, level.end, level.low, level.high, level.lost) == ("4", "not finite", "2", "4", 2)


def test_the_order_of_levels(make: Make) -> None:
    names = ["time/step", "lr", "grad/norm", "grad/norm/a", "eval/a", "loss/a", "loss/total", "step"]
    run = story.gather([make("reading", 1, values=dict.fromkeys(names, 1.0))], name="x")
    shown = [level.name for level in summary.levels(run.series)]
    assert shown == ["loss/total", "loss/a", "eval/a", "grad/norm", "lr", "time/step"]


def test_settings_are_flattened_in_order() -> None:
    data = {"b": {"x": 1, "y": {"z": [1, 2]}}, "a": None, "empty": {}}
    assert summary.flat(data) == [("b.x", "1"), ("b.y.z", "[1, 2]"), ("a", "None"), ("empty", "{}")]


def test_a_run_that_an_exception_ended_is_not_said_to_go_on(make: Make) -> None:
    told = [make("note", 0, text="start", data={}), make("reading", 1, values={"step": 0, "loss/a": 1.0})]
    told.append(make("note", 1, text="broke off", data={"error": "ValueError: <b>odd</b>", "step": 1}))
    first = summary.sentences(story.gather(told, name="x"))[0]
    assert first.startswith("The run broke off (ValueError: <b>odd</b>) at step 1, after 1 tick")
