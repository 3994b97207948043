from __future__ import annotations

import math
from typing import Any

import pytest

from rerail.tell.live.state import EVENTS, SPARK, State


def record(kind: str, tick: int, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "kind": kind, "tick": tick, "time": 1000.0 + tick, **fields}


def note(tick: int, text: str, **data: Any) -> dict[str, Any]:
    return record("note", tick, text=text, data=data)


def reading(tick: int, **values: Any) -> dict[str, Any]:
    return record("reading", tick, values={"step": tick, "loss/total": 2.0, "time/step": 0.5, **values})


def state(*records: dict[str, Any]) -> State:
    made = State()
    for each in (note(0, "start", config={"steps": 100}), *records):
        made.take(each)
    return made


@pytest.mark.parametrize(
    ("records", "age", "word", "told"),
    [
        ([reading(20)], 2, "training", "training; last record 2 s ago; about 40 s left"),
        ([reading(20)], 61, "silent", "no record for 1 min 1 s: the run stands still, or its process is gone"),
        (
            [reading(20, **{"time/step": 10.0})],
            150,
            "training",
            "training; last record 2 min 30 s ago; about 13 min 20 s left",
        ),
        ([note(20, "asked", wish="pause", by="page", step=20)], 500, "paused", "paused: asked by page, 8 min 20 s ago"),
        ([note(20, "end", reason="finished", step=20)], 5, "finished", "finished 5 s ago"),
        ([note(20, "end", reason="halted", step=20)], 5, "halted", "halted 5 s ago"),
        ([note(20, "end", reason="\x1b[31m", step=20)], 5, "ended", "ended 5 s ago: \\x1b[31m"),
        ([note(20, "broke off", error="OSError: <b>", step=20)], 5, "broken", "broke off 5 s ago: OSError: <b>"),
        (
            [note(20, "end", reason="stopped", step=20), note(20, "resume", step=20)],
            5,
            "training",
            "training; last record 5 s ago",
        ),
        ([note(20, "asked", wish="pause", by="page"), note(20, "asked", wish="resume", by="page")], 1, "training", ""),
        ([note(20, "asked", wish="pause", by="page"), reading(20)], 1, "training", ""),
    ],
)
def test_the_state_is_one_word_and_one_line(records: list[dict[str, Any]], age: float, word: str, told: str) -> None:
    seen = state(*records)
    assert seen.word(1020.0 + age) == word
    assert not told or seen.told(1020.0 + age) == told


def test_before_the_first_record_it_waits() -> None:
    assert State().told(0.0) == "no record yet"


def test_what_is_released_after_the_end_does_not_bring_a_run_to_life() -> None:
    ended = note(20, "end", reason="finished", step=20)
    assert state(ended, note(21, "released from quarantine", ids=["a"])).word(1021.0) == "finished"


def test_losses_stay_where_the_last_reading_has_none() -> None:
    seen = state(reading(1, **{"loss/a": 1.0}), record("reading", 2, values={"step": 2, "eval/a": 0.5}))
    assert list(seen.losses) == ["loss/total", "loss/a"]
    assert seen.latest.held_out == {"eval/a": 0.5}


def test_a_long_run_takes_no_more_room_than_a_short_one() -> None:
    seen = state(
        *(reading(tick, **{"loss/total": math.nan}) for tick in range(500)), *(note(1, str(n)) for n in range(500))
    )
    assert len(seen.spark) == SPARK
    assert len(seen.events) == EVENTS
    assert seen.events[-1].text == "499"


def test_a_torn_line_does_not_take_the_run_back_to_1970() -> None:
    seen = state(
        reading(20), {"v": 1, "kind": "note", "tick": 0, "time": 0.0, "text": "torn line", "data": {"where": "x"}}
    )
    assert seen.silence(1025.0) == 5.0
