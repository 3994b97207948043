"""A run without torch: it writes what a run writes, and does what it is asked. `python light_run.py RUN STEPS THEN`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rerail.process import identity
from rerail.requests import Inbox
from rerail.tell.journal import Journal


def begin(run: Path, steps: int = 5, then: str = "wait") -> subprocess.Popen[bytes]:
    """Start one; after its steps it ends (`end`), raises (`break off`), or takes a step whenever it is looked at."""
    return subprocess.Popen([sys.executable, __file__, str(run), str(steps), then], env=os.environ)


def main(run: Path, steps: int, then: str) -> None:
    begun = (run / "journal.jsonl").exists()
    journal, inbox, tick, paused = Journal(run), Inbox(run), 0, False

    def note(text: str, **data: Any) -> None:
        journal.write("note", tick, text=text, data=data)

    about = {"config": {"steps": 100}, "environment": {}, "process": identity(), "step": 0}
    note("resume" if begun else "start", **about, **({"from": "step-00000001"} if begun else {}))
    while True:
        asked = inbox.take()
        if asked is not None:
            note("asked", wish=asked.wish, by=asked.by, step=tick)
            paused = asked.wish == "pause"
        if asked is not None and asked.wish == "stop":
            note("end", reason="stopped", step=tick)
            return
        if tick < steps and not paused:
            tick += 1
            values = {"step": tick - 1, "loss/mel": 1.0 / tick, "lr": 1e-3, "time/step": 0.02}
            journal.write("reading", tick, values=values)
        elif then == "end":
            note("end", reason="finished", step=tick)
            return
        elif then == "break off":
            note("broke off", error="ValueError: a text too long", step=tick)
            os._exit(1)
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
