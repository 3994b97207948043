from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import toy
from rerail.guard import Guard, Keep
from rerail.tell import journal

LEAST = 0.4  # seconds: short for a test, long beside a step of a millisecond


def told(run: Path, text: str) -> list[dict[str, Any]]:
    return [one["data"] for one in journal.read(run) if one["kind"] == "note" and one["text"] == text]


def watchdogs() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "rerail-watchdog"]


def sleeping_loader(batches: Iterator[Any], at: int, seconds: float) -> Iterator[Any]:
    for number, batch in enumerate(batches):
        if number == at:
            time.sleep(seconds)
        yield batch


def train(run: toy.Toy, batches: Iterator[Any], steps: int) -> None:
    for _, batch in zip(range(steps), batches, strict=False):
        run.guard.step(batch)


def test_a_loader_that_stands_still_is_told_once_with_its_line_and_so_is_that_it_goes_on(tmp_path: Path) -> None:
    heard: list[str] = []
    run = toy.toy(run=tmp_path, keep=Keep(hang_seconds=LEAST), listeners=[lambda one: heard.append(one.get("text"))])
    train(run, sleeping_loader(iter(run.loader), at=20, seconds=10 * LEAST), steps=40)
    run.guard.close()
    (hang,) = told(tmp_path, "hang")
    assert LEAST < hang["silent"] < 10 * LEAST  # told while it stands
    assert 0 < hang["usual"] < LEAST
    assert hang["inside"] is False
    assert hang["where"][-1].endswith(" sleeping_loader")
    assert hang["where"][-1].startswith("sense/test_watchdog.py:")
    assert "num_workers=0" in hang["advice"]
    (went_on,) = told(tmp_path, "went on")
    assert 10 * LEAST <= went_on["silent"] < 30 * LEAST
    assert {"hang", "went on"} <= set(heard)
    log = (tmp_path / "run.log").read_text(encoding="utf8")
    assert "outside guard.step (the loader, a validation); a step usually takes" in log
    assert "The run went on after" in log


def test_a_hang_inside_the_losses_names_the_function(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    calls = iter(range(100))

    def waits_for_ever(values: Tensor) -> Tensor:
        if next(calls) == 10:
            time.sleep(3 * LEAST)
        return values.square().mean()

    keep = Keep(hang_seconds=LEAST)
    guard = Guard(
        model, torch.optim.SGD(model.parameters(), 0.1), lambda x: waits_for_ever(model(x)), run=tmp_path, keep=keep
    )
    for _ in range(20):
        guard.step(torch.randn(6, 4))
    guard.close()
    (hang,) = told(tmp_path, "hang")
    assert hang["inside"] is True
    assert hang["where"][-1].endswith(" waits_for_ever")
    assert any(line.endswith(" test_a_hang_inside_the_losses_names_the_function") for line in hang["where"])
    assert "ranks" in hang["advice"]


def test_a_validation_that_always_takes_long_is_told_once(tmp_path: Path) -> None:
    run = toy.toy(run=tmp_path, keep=Keep(hang_seconds=LEAST))
    batches = iter(run.loader)
    for _ in range(3):
        train(run, batches, steps=10)
        time.sleep(1.6 * LEAST)  # validates
    run.guard.close()
    assert len(told(tmp_path, "hang")) == 1
    assert len(told(tmp_path, "went on")) == 1


def test_a_healthy_run_raises_no_alarm_nor_does_one_that_is_long_at_its_first_step(tmp_path: Path) -> None:
    least = 4 * LEAST  # a busy machine may halt a sound run for a moment
    run = toy.toy(run=tmp_path, keep=Keep(hang_seconds=least))
    batches = iter(run.loader)
    time.sleep(1.2 * least)  # nothing is usual yet
    until = time.monotonic() + 2 * least
    while time.monotonic() < until:
        train(run, batches, steps=10)
    run.guard.close()
    assert told(tmp_path, "hang") == []


def test_it_ends_with_the_guard_closed_or_collected(tmp_path: Path) -> None:
    before = len(watchdogs())
    run = toy.toy(run=tmp_path / "closed")
    assert len(watchdogs()) == before + 1
    run.guard.close()
    assert len(watchdogs()) == before
    model = nn.Linear(4, 1)
    guard = Guard(model, torch.optim.SGD(model.parameters(), 0.1), run=tmp_path / "collected")
    (thread,) = watchdogs()
    del guard
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("seconds", [0.0, float("inf")])
def test_switched_off_there_is_no_thread(tmp_path: Path, seconds: float) -> None:
    before = len(watchdogs())
    toy.toy(run=tmp_path, keep=Keep(hang_seconds=seconds))
    assert len(watchdogs()) == before


def test_without_a_run_or_a_listener_there_is_nobody_to_tell() -> None:
    before = len(watchdogs())
    toy.toy()
    assert len(watchdogs()) == before


def test_a_process_that_never_closes_its_guard_ends(tmp_path: Path) -> None:
    script = (
        "import sys, torch, rerail\n"
        "model = torch.nn.Linear(2, 1)\n"
        "guard = rerail.Guard(model, torch.optim.SGD(model.parameters(), 0.1), run=sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], check=False, timeout=120)
    assert done.returncode == 0
