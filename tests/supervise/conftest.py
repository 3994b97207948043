"""A Bot API server on loopback, runs without torch, and supervisors that look when a test says so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import light_run
from bot_api import BotApi
from rerail.supervise import config
from supervised import Watched, written


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


@pytest.fixture(autouse=True)
def _person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def settings(api: BotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(config.TOKEN, api.token)
    return written(tmp_path / "notify.yaml", api)


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`train(steps, then)`: a process that writes the journal of tmp_path/run."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(steps: int = 5, then: str = "wait", run: str = "run") -> subprocess.Popen[bytes]:
        begun.append(light_run.begin(tmp_path / run, steps, then))
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.wait()


@pytest.fixture
def watch(tmp_path: Path, settings: Path) -> Iterator[Callable[..., Watched]]:
    """`watch(**more)`: a supervisor of tmp_path/run."""
    open_: list[Watched] = []

    def begin(run: str = "run", **more: Any) -> Watched:
        open_.append(Watched(tmp_path / run, more.pop("settings", settings), **more))
        return open_[-1]

    yield begin
    for one in open_:
        one.close()
