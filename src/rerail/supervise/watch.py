"""Supervises one run from this process, or starts a process that does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from rerail.supervise import config as settings
from rerail.supervise.log import FOLDER
from rerail.supervise.services import ear, services
from rerail.supervise.starter import Starter
from rerail.supervise.supervisor import Pace, Supervisor

LOG = "supervisor.log"
LOCK_SECONDS = 1.0


def watch(
    run: Path,
    config: Path | None,
    *,
    name: str = "",
    starter: int = 0,
    pace: Pace = Pace(),  # noqa: B008 (frozen)
) -> None:
    """Supervise a run until it has ended and everything that matters is told. One at a time does.

    Raises:
        ValueError: for settings that are wrong, secrets that cannot be read, a run that another process supervises.
    """
    given = settings.load(config)
    told = services(given)
    (run / FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(run / FOLDER / ".lock", timeout=0)
    if _held(lock, Starter(starter)):
        name = name or run.resolve().name
        Supervisor(run, given, told, name=name, ear=ear(given), starter=starter, pace=pace).follow()
        lock.release()


def _held(lock: FileLock, starter: Starter) -> bool:
    """Wait for the lock as long as the starter lives: whoever has it may be about to end."""
    while not _taken(lock):
        if not starter.waits():
            break
        time.sleep(LOCK_SECONDS)
    else:
        return True
    if starter.gone:
        return False
    raise ValueError(f"{Path(lock.lock_file).parent}: another process supervises this run; end it first")


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def spawn(run: Path, config: Path | None) -> str:
    """Start a process that supervises this run; return why it could not be started, nothing where it was.

    It is in a session of its own, so that Ctrl-C at this terminal is not meant for it.
    """
    asked = [str(run.absolute()), "--name", run.resolve().name, "--starter", str(os.getpid())]
    asked += ["--config", str(config.absolute())] if config is not None else []
    try:
        (run / FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
        with (run / FOLDER / LOG).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (this very program)
                [sys.executable, "-m", "rerail.supervise", *asked],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONSAFEPATH": "1"},
            )
    except OSError as error:
        return str(error)
    threading.Thread(target=process.wait, name="rerail-supervisor", daemon=True).start()  # no zombie of it is left
    return ""
