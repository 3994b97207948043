from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from rerail.tell.journal import NAME, Journal
from rerail.tell.live.follow import GLANCE, Follow, Glance


def write(folder: Path, ticks: range, *, end: str = "") -> None:
    book = Journal(folder)
    if ticks.start == 0:
        book.write("note", 0, text="start", data={"config": {"steps": 9000}})
    for tick in ticks:
        book.write("reading", tick, values={"step": tick, "loss/total": tick, "time/step": 0.1, "more": "x" * 200})
    if end:
        book.write("note", ticks.stop, text="end", data={"reason": end, "step": ticks.stop})
    book.close()


def answer(run: Follow, cursor: str = "") -> dict[str, Any]:
    while not run.advance(10.0):
        pass
    told = run.since(cursor, time.time())
    json.dumps(told, allow_nan=False)
    return told


def test_whoever_asks_again_is_told_only_what_is_new(tmp_path: Path) -> None:
    write(tmp_path, range(10))
    run = Follow(tmp_path)
    first = answer(run)
    assert first["whole"]
    assert [row[0] for row in first["signals"]["loss/total"]] == list(range(10))
    assert [event["text"] for event in first["events"]] == ["Run started."]
    write(tmp_path, range(10, 12), end="finished")
    second = answer(run, first["cursor"])
    assert not second["whole"]
    assert [row[0] for row in second["signals"]["loss/total"]] == [10, 11]
    assert [event["text"] for event in second["events"]] == ["Run finished, at step 12."]
    assert second["state"]["word"] == "finished"
    third = answer(run, second["cursor"])
    assert (third["signals"], third["events"], third["whole"]) == ({}, [], False)
    assert answer(run, first["cursor"])["signals"] == second["signals"]  # another window that asks later


@pytest.mark.parametrize("cursor", ["nonsense", "a.b.c", "1.1.\u0663", "." * 50, "../../etc/passwd", "9" * 400])
def test_a_cursor_of_another_past_is_told_all(tmp_path: Path, cursor: str) -> None:
    write(tmp_path, range(10))
    run = Follow(tmp_path)
    answer(run)
    assert answer(run, cursor)["whole"]


def test_a_run_that_began_anew_voids_what_was_told(tmp_path: Path) -> None:
    write(tmp_path / "run", range(50))
    run = Follow(tmp_path / "run")
    first = answer(run)
    shutil.rmtree(tmp_path / "run")
    write(tmp_path / "run", range(3))
    second = answer(run, first["cursor"])
    assert second["whole"]
    assert second["state"]["tick"] == 2


def test_curves_that_were_thinned_meanwhile_are_told_anew(tmp_path: Path) -> None:
    write(tmp_path, range(1500))
    run = Follow(tmp_path)
    first = answer(run)
    write(tmp_path, range(1500, 2500))
    second = answer(run, first["cursor"])
    assert (first["stride"], second["stride"], second["whole"]) == (1, 2, True)


def test_a_long_journal_is_read_bit_by_bit(tmp_path: Path) -> None:
    write(tmp_path, range(3000))
    run = Follow(tmp_path)
    assert not run.advance(0.0)
    assert run.state.records == 1
    assert answer(run)["state"]["tick"] == 2999


def test_interventions_come_with_cause_and_proof(realistic_run: Path) -> None:
    run = Follow(realistic_run)
    told = answer(run)
    assert [(one["tick"], one["step"], one["move"]) for one in told["interventions"]] == [
        (61, 60, "SKIP"),
        (180, 178, "REWIND"),
        (320, 289, "SKIP"),
    ]
    assert told["interventions"][0]["cause"].startswith("Bad data")
    assert told["interventions"][0]["proved"]
    assert "What was tried" in run.explained(61)
    assert "interventions" not in answer(run, told["cursor"])
    with pytest.raises(ValueError, match="did not step in at tick 5"):
        run.explained(5)


def test_pictures_and_sounds_are_the_newest_of_each_name(realistic_run: Path) -> None:
    run = Follow(realistic_run)
    told = answer(run)["artifacts"]
    assert [one["name"] for one in told] == ["speech", "alignment"]
    found = run.artifact(told[1]["number"])
    assert found is not None
    assert (realistic_run / found.path).is_file()
    assert run.artifact(99) is None


def test_a_glance_at_a_long_run_costs_its_ends(tmp_path: Path) -> None:
    write(tmp_path, range(6000))
    assert (tmp_path / NAME).stat().st_size > 4 * GLANCE
    glance = Glance(tmp_path)
    state = glance.advance()
    assert (state.latest.tick, state.total) == (5999, 9000)
    assert state.records < 1000
    write(tmp_path, range(6000, 6003))
    before = state.records
    assert glance.advance().latest.tick == 6002
    assert state.records == before + 3


def test_a_glance_at_a_run_that_began_anew(tmp_path: Path) -> None:
    write(tmp_path / "run", range(50), end="halted")
    glance = Glance(tmp_path / "run")
    assert glance.advance().ended == "halted"
    shutil.rmtree(tmp_path / "run")
    write(tmp_path / "run", range(3))
    state = glance.advance()
    assert (state.latest.tick, state.ended) == (2, "")


@pytest.mark.parametrize("time", ["nan", "inf", 1e300])
def test_what_is_no_text_and_no_time_is_told_all_the_same(tmp_path: Path, time: object) -> None:
    shown = {"kind": "artifact", "path": "\ud800.png", "name": "a\ud800", "media": "image/png", "caption": "\ud800"}
    records = [{"kind": "note", "text": "start", "data": {}}, shown]
    lines = [json.dumps({"v": 1, "tick": 0, "time": time, **one}) + "\n" for one in records]
    (tmp_path / NAME).write_text("".join(lines), encoding="utf8")
    told = answer(Follow(tmp_path))
    json.dumps(told, allow_nan=False, ensure_ascii=False).encode()
    assert [event["time"] for event in told["events"]] == [None, None]
