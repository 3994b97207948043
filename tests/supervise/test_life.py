from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from rerail import process
from rerail.supervise import life
from rerail.supervise.life import Life


@pytest.fixture
def sleeper() -> Any:
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield started
    started.kill()
    started.wait()


def followed(sleeper: Any, **more: Any) -> Life:
    found = Life()
    began = round(psutil.Process(sleeper.pid).create_time(), 2)
    found.follow({"pid": sleeper.pid, "began": began, "place": process.place(), **more}, at=time.time())
    return found


def soon(ready: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not ready() and time.monotonic() < until:
        time.sleep(0.02)
    return ready()


def test_this_process_is_told_by_its_identity() -> None:
    found = Life()
    found.follow(process.identity(), at=time.time())
    assert found.look() == "alive"


def test_a_killed_process_is_gone_though_nobody_waits_for_it(sleeper: Any) -> None:
    found = followed(sleeper)
    assert found.look() == "alive"
    sleeper.send_signal(signal.SIGKILL)
    assert soon(lambda: found.look() == "gone")
    if sys.platform == "linux":
        assert found.end.signal == "SIGKILL"
    sleeper.wait()
    assert found.look() == "gone"


def test_another_process_of_the_same_number_is_another(sleeper: Any) -> None:
    assert followed(sleeper, began=1.0).look() == "gone"
    assert followed(sleeper, began=None).look() == "alive"
    late = Life()
    late.follow({"pid": sleeper.pid, "began": None, "place": process.place()}, at=time.time() - 3600)
    assert late.look() == "gone"


def test_a_process_of_another_place_is_not_judged(sleeper: Any) -> None:
    assert followed(sleeper, place="elsewhere").look() == "unknown"
    assert Life().look() == "unknown"
    old = Life()
    old.follow({}, at=time.time())  # a journal from before there was an identity
    assert old.look() == "unknown"


def test_a_kill_for_memory_is_hinted_at(monkeypatch: pytest.MonkeyPatch) -> None:
    kills = iter([3, 3, 4])
    monkeypatch.setattr(life, "_oom_kills", lambda: next(kills))
    found = Life()
    assert found.hint() == ""
    assert "want of memory" in found.hint()


def test_no_machine_is_named() -> None:
    told = str(process.identity())
    node = Path("/proc/sys/kernel/hostname")
    assert not node.exists() or node.read_text().strip() not in told
