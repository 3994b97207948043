"""Supervisors that look when a test says so, and their settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bot_api import BotApi
from rerail.supervise import config
from rerail.supervise.services import ear, services
from rerail.supervise.supervisor import Pace, Supervisor


def written(path: Path, api: BotApi, **more: Any) -> Path:
    told = {"telegram": {"token": f"env:{config.TOKEN}", "chats": [api.chat], "base_url": api.url}, **more}
    path.write_text(yaml.safe_dump(told), encoding="utf8")
    return path


class Watched:
    """A supervisor that looks as often as a test wants it to."""

    def __init__(self, run: Path, settings: Path, *, hears: bool = False, **more: Any) -> None:
        run.mkdir(exist_ok=True)
        given = config.load(settings)
        self.services, self.ear = services(given), ear(given) if hears else None
        pace = more.pop("pace", Pace(stay=0.0))
        name = more.pop("name", run.name)
        self.supervisor = Supervisor(run, given, self.services, name=name, ear=self.ear, pace=pace, **more)
        self.over = False

    def until(self, ready: Callable[[], object], seconds: float = 30.0) -> bool:
        end = time.monotonic() + seconds
        while not ready() and time.monotonic() < end:
            self.over = self.supervisor.look()
            time.sleep(0.02)
        return bool(ready())

    def close(self) -> None:
        self.supervisor._close()
