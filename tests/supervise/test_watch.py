from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot_api import BotApi
from rerail.supervise import spawn, watch
from rerail.tell import journal

Begin = Callable[..., Any]


def soon(ready: Callable[[], object], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not ready() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(ready())


@pytest.fixture
def supervise(tmp_path: Path, settings: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*more: str) -> subprocess.Popen[bytes]:
        (tmp_path / "run").mkdir(exist_ok=True)
        asked = [str(tmp_path / "run"), "--config", str(settings), "--look", "0.05", "--stay", "0", *more]
        with (tmp_path / "output").open("ab") as out:
            begun.append(subprocess.Popen([sys.executable, "-m", "rerail.supervise", *asked], stdout=out, stderr=out))
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.wait()


def noted(run: Path, text: str) -> bool:
    kept = run / "notify/journal.jsonl"
    return kept.exists() and any(one["text"] == text for one in journal.read(run / "notify"))


def test_a_supervisor_that_was_killed_tells_nothing_twice_and_loses_nothing(
    api: BotApi, train: Begin, supervise: Callable[..., Any], tmp_path: Path
) -> None:
    first, process = supervise(), train()
    assert soon(lambda: noted(tmp_path / "run", "sent"))
    first.kill()
    first.wait()
    process.kill()  # a zombie, and nobody sees it die
    told = len(api.messages)
    assert supervise().wait(60) == 0
    new = [text.splitlines()[0] for text in api.texts[told:]]
    assert sum("the process is gone" in one for one in new) == 1
    assert not any("started" in one for one in new)
    assert supervise().wait(60) == 0
    assert len(api.messages) == told + len(new)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 5  # the journals, the outbox, what was printed
    assert not any(api.token.partition(":")[2].encode() in one for one in kept)


def test_it_is_spawned_away_from_the_terminal_and_waits_its_turn(
    api: BotApi, train: Begin, settings: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    before = {one.pid for one in psutil.Process().children()}
    assert spawn(run, settings) == ""
    (child,) = [one for one in psutil.Process().children() if one.pid not in before]
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    assert soon(lambda: noted(run, "supervising"))
    assert child.nice() >= 10
    with pytest.raises(ValueError, match="another process supervises this run"):
        watch(run, settings)
    run.rename(tmp_path / "elsewhere")  # as --reset-training does with an older run
    train(3, "end", run="elsewhere")
    assert api.wait_for(lambda api: any("run: finished" in text for text in api.texts), 60)
    assert soon(lambda: not psutil.pid_exists(child.pid))
    assert not run.exists()


def test_what_cannot_be_started_is_said(settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert "No such file" in spawn(tmp_path / "run", settings)


def test_wrong_settings_are_said_and_end_it(supervise: Callable[..., Any], settings: Path, tmp_path: Path) -> None:
    settings.write_text("telegram: {token: 'literal-secret-of-somebody', chats: [1]}\n")
    assert supervise().wait(60) == 2
    told = (tmp_path / "output").read_text()
    assert "telegram.token" in told
    assert "literal" not in told


def test_a_program_that_ends_before_it_trains_is_no_death(
    api: BotApi, supervise: Callable[..., Any], tmp_path: Path
) -> None:
    short = subprocess.Popen([sys.executable, "-c", ""])
    assert supervise("--starter", str(short.pid)).wait(60) == 0
    short.wait()
    assert api.messages == []
    assert noted(tmp_path / "run", "ended")


def test_it_loads_no_torch() -> None:
    loaded = "import rerail, rerail.supervise.__main__, rerail.tell.plots, rerail.tell.notices, rerail.requests, sys"
    check = "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"{loaded}; {check}"], check=True)
