from __future__ import annotations

from typing import Any

import pytest

from rerail.tell import clock, story
from rerail.tell.clock import Clock

NOON = 1_790_000_000.0


def read(at: float) -> dict[str, Any]:
    return {"kind": "reading", "tick": 1, "time": NOON + at, "values": {"step": 0}}


def note(at: float | None, text: str, **data: object) -> dict[str, Any]:
    time = 0.0 if at is None else NOON + at
    return {"kind": "note", "tick": 0, "time": time, "text": text, "data": data}


BEGUN = [note(0, "start"), read(1), read(2)]


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ([read(3)], 3),
        ([note(None, "torn line"), read(3)], 3),
        ([note(None, "records lost"), read(3)], 3),
        ([{"kind": "reading", "tick": 2, "time": "nan"}, read(3)], 3),
        ([read(1), read(3)], 4),  # the machine's time was set back: what lies between is not known
        ([note(900, "resume"), read(901)], 3),
        ([note(3, "end"), note(900, "released from quarantine")], 3),
        ([note(3, "broke off"), note(900, "a person's own remark")], 3),
        ([note(900, "released from quarantine"), note(1900, "resume"), read(1901)], 3),
        ([note(2.5, "released from quarantine"), read(3)], 3),
        ([note(3, "asked", wish="pause"), note(900, "asked", wish="resume"), read(901)], 4),
        ([note(3, "asked", wish="pause"), note(900, "asked", wish="stop"), note(901, "end")], 4),
        ([note(3, "asked", wish="pause"), read(900), read(901)], 4),
    ],
)
def test_seconds_are_those_in_which_the_run_was_alive(after: list[dict[str, Any]], seconds: float) -> None:
    told = Clock()
    for one in [*BEGUN, *after]:
        told.update(one)
    assert told.seconds == pytest.approx(seconds)
    assert told.began == NOON


def test_a_torn_first_line_does_not_make_a_run_old() -> None:
    told = story.gather([note(None, "torn line"), *BEGUN], name="x")
    assert (told.began, told.seconds) == (NOON, 2)


def test_what_others_write_is_no_sign_of_life() -> None:
    told = Clock()
    for one in [*BEGUN, note(900, "released from quarantine")]:
        told.update(one)
    assert told.heard == NOON + 2


@pytest.mark.parametrize("time", [0.0, -5, "nan", "inf", 1e300, 1e12, None, "noon", [1]])
def test_a_time_that_is_none_is_not_told(time: object) -> None:
    assert clock.moment({"time": time}) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min 0 s"), (151, "2 min 31 s"), (11_100, "3 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert clock.duration(seconds) == text


def test_days_do_not_depend_on_the_reader() -> None:
    assert clock.day(0.0) == "1970-01-01 00:00 UTC"
    assert clock.day(None) == "unknown time"
