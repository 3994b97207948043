from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rerail
from rerail import asked as module
from rerail.requests import ask
from rerail.tell import journal
from toy import Toy, same, toy


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


def notes(run: Path, text: str = "asked") -> list[dict[str, Any]]:
    return [one["data"] for one in journal.read(run) if one["kind"] == "note" and one["text"] == text]


def later(run: Path, wish: str, *, after: str) -> threading.Thread:
    """Ask for something as soon as the journal has a note that another wish was heard."""

    def work() -> None:
        while after not in [one["wish"] for one in notes(run)]:
            time.sleep(0.01)
        ask(run, wish, by="page")

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def trained(made: Toy, requests: rerail.Requests, wishes: dict[int, str], steps: int = 20) -> Iterator[int]:
    assert made.guard.run is not None
    for batch in made.loader:
        if (wish := wishes.get(made.guard.steps)) is not None:
            ask(made.guard.run, wish, by="telegram")
        if requests.stop() or made.guard.steps == steps:
            return
        made.guard.step(batch)
        yield made.guard.steps


def test_a_run_that_waited_is_bitwise_the_run_that_did_not(tmp_path: Path) -> None:
    whole = toy(run=tmp_path / "whole")
    whole.train(20)
    waited = toy(run=tmp_path / "waited")
    goes_on = later(tmp_path / "waited", "resume", after="pause")
    assert list(trained(waited, rerail.Requests(waited.guard), {7: "pause"}))[-1] == 20
    goes_on.join()
    assert same(whole.weights(), waited.weights())
    paused, resumed = notes(tmp_path / "waited")
    assert paused == {"wish": "pause", "by": "telegram", "step": 7}
    assert (resumed["wish"], resumed["by"], resumed["step"]) == ("resume", "page", 7)
    assert resumed["waited"] > 0
    assert (tmp_path / "waited/checkpoints/step-00000007").is_dir()  # who pauses a run may be about to end it


def test_a_pause_is_in_no_steps_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 1.0)
    made = toy(run=tmp_path / "run")
    goes_on = later(tmp_path / "run", "resume", after="pause")
    list(trained(made, rerail.Requests(made.guard), {3: "pause"}, steps=5))
    goes_on.join()
    (resumed,) = (one["waited"] for one in notes(tmp_path / "run") if "waited" in one)
    took = [one["values"]["time/step"] for one in journal.read(tmp_path / "run") if one["kind"] == "reading"]
    assert took[3] < resumed


def test_a_run_that_is_asked_to_stop_is_saved(tmp_path: Path) -> None:
    made = toy(run=tmp_path / "run")
    requests = rerail.Requests(made.guard)
    assert list(trained(made, requests, {4: "stop"}))[-1] == 4
    assert (requests.by, requests.saved) == ("telegram", True)
    assert requests.stop()
    assert (tmp_path / "run/checkpoints/step-00000004").is_dir()
    assert [one["wish"] for one in notes(tmp_path / "run")] == ["stop"]


def test_a_run_that_waits_can_be_stopped(tmp_path: Path) -> None:
    made = toy(run=tmp_path / "run")
    requests = rerail.Requests(made.guard)
    stops = later(tmp_path / "run", "stop", after="pause")
    assert list(trained(made, requests, {4: "pause"}))[-1] == 4
    stops.join()
    assert requests.by == "page"


def test_a_pause_ends_with_the_run(tmp_path: Path) -> None:
    made = toy(run=tmp_path / "run")
    requests = rerail.Requests(made.guard, over=lambda: bool(notes(tmp_path / "run")))
    assert list(trained(made, requests, {4: "pause"}))[-1] == 4
    assert requests.by == ""


def test_a_run_that_cannot_be_saved_is_stopped_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy(run=tmp_path / "run")

    def full() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(made.guard, "save", full)
    requests = rerail.Requests(made.guard)
    assert list(trained(made, requests, {4: "stop"}))[-1] == 4
    assert (requests.by, requests.saved) == ("telegram", False)
    assert notes(tmp_path / "run", "checkpoint not saved") == [{"step": 4, "error": "no space left on device"}]


def test_a_run_without_a_folder_is_asked_nothing() -> None:
    made = toy()
    assert not rerail.Requests(made.guard).stop()
