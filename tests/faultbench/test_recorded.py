"""The recorded trainings under the default plan of today: sound ones are left alone, failed ones are seen in time.

What is known to be missed or found wrongly stands in the index; where that is mended, the index must say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from faultbench.recorded.index import Entry, entries, journal_of, records
from faultbench.recorded.judge import Judged, judge, table

from rerail.core.plans import default_plan

ENTRIES = {one.name: one for one in entries()}
SOUND = [name for name, one in ENTRIES.items() if not one.fault]
FAILED = [name for name, one in ENTRIES.items() if one.fault]


@cache
def judged(name: str) -> Judged:
    return judge(ENTRIES[name], records(name), default_plan())


def readings(values: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"kind": "reading", "tick": tick, "values": each} for tick, each in enumerate(values, 1)]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_training_is_left_alone(name: str) -> None:
    assert set(judged(name).alarms) == set(ENTRIES[name].wrong)


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_training_is_seen_in_time_and_only_once_it_fails(name: str) -> None:
    assert judged(name).late == {}
    assert set(judged(name).alarms) == set(ENTRIES[name].wrong)


@pytest.mark.parametrize("name", [name for name in FAILED if ENTRIES[name].missed])
def test_what_is_said_to_be_missed_is_missed(name: str) -> None:
    assert set(judged(name).after) & set(ENTRIES[name].missed) == set()


def test_there_are_enough_of_them_and_they_are_small() -> None:
    sizes = [journal_of(name).stat().st_size for name in ENTRIES]
    assert sorted(path.name for path in journal_of("x").parent.glob("*.gz")) == sorted(
        f"{one}.jsonl.gz" for one in ENTRIES
    )
    assert max(sizes) < 300_000
    assert sum(sizes) < 2_000_000
    assert len(SOUND) >= 6
    assert len(FAILED) >= 6
    assert sum(judged(name).ticks > 1500 for name in ENTRIES) >= 3


def test_every_failed_one_says_what_must_be_seen_or_why_it_is_not() -> None:
    assert all(ENTRIES[name].expect or ENTRIES[name].missed for name in FAILED)
    assert all(one.begin >= 1 for one in map(ENTRIES.get, FAILED) if one)


def test_an_alarm_in_a_sound_training_and_a_late_one_in_a_failed_are_told_as_such() -> None:
    name = SOUND[0]
    given = [*records(name)][:200]
    spoilt = [{**one, "values": {**one["values"], "loss/total": "nan"}} if one["tick"] == 150 else one for one in given]
    assert judge(ENTRIES[name], spoilt, default_plan()).alarms == {"nonfinite.loss": 150}
    fault = replace(ENTRIES[name], fault="a NaN", begin=140, expect={"nonfinite.loss": 149, "loss.still": 200})
    late = judge(fault, spoilt, default_plan())
    assert late.late == {"nonfinite.loss": 150, "loss.still": None}
    assert late.delay == 10
    before = judge(replace(fault, begin=160), spoilt, default_plan())
    assert before.alarms == {"nonfinite.loss": 150}


def test_the_table_has_a_row_for_each_and_counts_what_would_have_been_answered() -> None:
    entry = Entry(name="one", model="a model", data="some data")
    given = readings({"loss/total": value, "grad/norm": 1.0, "step": 0.0} for value in (1.0, float("nan")))
    first, _, *rows = table([judge(entry, given, default_plan())])
    assert "1 sound trainings, 2 ticks: 1 findings that would have been answered" in first
    assert rows[-1] == "| one: a model |  | 2 | nonfinite.loss (2) |  |  | nonfinite.loss (2) |  |"
