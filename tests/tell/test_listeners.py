from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rerail.tell import journal
from rerail.tell.journal import Journal
from rerail.tell.listeners import Listeners
from rerail.tell.logbook import Logbook


class Kept:
    """A listener that keeps the ticks it was given, and the threads that called it."""

    def __init__(self) -> None:
        self.ticks: list[int] = []
        self.threads: list[str] = []
        self.closed = False

    def __call__(self, record: dict[str, Any]) -> None:
        self.ticks.append(record["tick"])
        self.threads.append(threading.current_thread().name)

    def close(self) -> None:
        self.closed = True
        self.threads.append(threading.current_thread().name)


class Stuck(Kept):
    """One whose service never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def __call__(self, record: dict[str, Any]) -> None:
        self.gate.wait(60)
        super().__call__(record)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as journal:
        yield journal


def notes(folder: Path, text: str) -> list[Any]:
    return [record["data"] for record in journal.read(folder) if record.get("text") == text]


def test_what_one_waits_for_holds_up_no_other(book: Journal) -> None:
    stuck, other = Stuck(), Kept()
    listeners = Listeners(book, (stuck, other))
    for tick in range(50):
        book.write("note", tick, text="x")
    while len(other.ticks) < 50:
        time.sleep(0.001)
    assert stuck.ticks == []
    stuck.gate.set()
    listeners.close(50)
    assert stuck.ticks == other.ticks == list(range(50))
    assert set(stuck.threads) == {"rerail-Stuck"}
    assert set(other.threads) == {"rerail-Kept"}


def test_run_log_goes_on_while_a_service_is_dead(tmp_path: Path) -> None:
    stuck = Stuck()
    book = Logbook(tmp_path, (stuck,))
    book.begin(0, step=0, resumed={}, about={})
    while "Run started." not in (tmp_path / "run.log").read_text():
        time.sleep(0.001)
    assert stuck.ticks == []
    stuck.gate.set()
    book.close(0, reason="finished", step=0)
    assert "Run finished" in (tmp_path / "run.log").read_text()


def test_closing_waits_for_all_of_them_together_and_says_who_missed_what(book: Journal, tmp_path: Path) -> None:
    stuck = [Stuck() for _ in range(4)]
    listeners = Listeners(book, (*stuck, Kept()))
    for tick in range(3):
        book.write("note", tick, text="x")
    began = time.monotonic()
    listeners.close(3, timeout=0.6)
    assert 0.6 <= time.monotonic() - began < 2.2  # one after another would be 2.4
    missed = notes(tmp_path, "listener missed records")
    assert missed == [{"listener": "Stuck", "records": 2}] * 4
    for one in stuck:
        one.gate.set()


def test_a_listener_is_closed_in_its_own_thread_after_its_last_record(book: Journal) -> None:
    kept = Kept()
    listeners = Listeners(book, (kept,))
    book.write("note", 1, text="x")
    assert not kept.closed
    listeners.close(1)
    assert kept.closed
    assert kept.threads == ["rerail-Kept"] * 2


def test_one_that_does_not_end_is_named(book: Journal, tmp_path: Path) -> None:
    gate = threading.Event()

    class Endless(Kept):
        def close(self) -> None:
            gate.wait(60)

    listeners = Listeners(book, (Endless(), Kept()))
    book.write("note", 0, text="x")
    listeners.close(0, timeout=0.5)
    gate.set()
    assert notes(tmp_path, "listener did not end") == [{"listener": "Endless"}]
    assert notes(tmp_path, "listener missed records") == []


def test_listeners_of_a_guard_that_is_dropped_end(tmp_path: Path) -> None:
    kept = Kept()
    book = Logbook(tmp_path, (kept,))
    book.begin(0, step=0, resumed={}, about={})
    del book
    gc.collect()
    while not kept.closed:
        time.sleep(0.001)
    assert kept.ticks == [0]


def test_one_that_fails_is_closed_too_and_not_given_more(book: Journal, tmp_path: Path) -> None:
    class Broken(Kept):
        def __call__(self, record: dict[str, Any]) -> None:
            super().__call__(record)
            raise ConnectionError("no route")

        def close(self) -> None:
            super().close()
            raise OSError("and no end")

    broken = Broken()
    listeners = Listeners(book, (broken,), bound=5)
    book.write("note", 0, text="x")
    while not broken.closed:
        time.sleep(0.001)
    for tick in range(1, 20):
        book.write("note", tick, text="x")
    listeners.close(20)
    assert broken.ticks == [0]
    told = [(data["listener"], data["error"]) for data in notes(tmp_path, "listener failed")]
    assert told == [("Broken", "ConnectionError: no route"), ("Broken", "OSError: and no end")]
    assert notes(tmp_path, "listener missed records") == []  # of one that was taken off, that is all there is to say


def test_one_that_would_end_the_process_is_taken_off(book: Journal, tmp_path: Path) -> None:
    def leaves(_: dict[str, Any]) -> None:
        raise SystemExit(3)

    listeners = Listeners(book, (leaves,))
    book.write("note", 0, text="x")
    listeners.close(0)
    assert notes(tmp_path, "listener failed") == [{"listener": "leaves", "error": "SystemExit: 3"}]


def test_no_secret_of_a_service_reaches_the_journal(
    book: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")

    def broken(_: dict[str, Any]) -> None:
        raise ConnectionError("https://me:hunter2@track.example/api refused 0123456789abcdef")

    listeners = Listeners(book, (broken,))
    book.write("note", 0, text="x")
    listeners.close(0)
    (told,) = notes(tmp_path, "listener failed")
    assert told["error"] == "ConnectionError: https://[secret]@track.example/api refused [secret]"
