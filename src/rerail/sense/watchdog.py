"""Notices, from a thread of its own, a training thread that is no longer heard of. It tells, and does nothing.

A loader that waits for ever, a collective that one rank never joined, an endless loop: all of these are silent. Code
that keeps the interpreter to itself also keeps this thread from looking, and is not seen.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rerail.core.hang import Hang, look_at, usual

RECENT = 50  # steps that the usual time is taken from
LINES = 12  # of a stack, the innermost
OFTEN = 1.0  # seconds between two looks, at most
STOPPED = 2.0  # a look that comes so many seconds late: the whole process stood still, and no step is to blame

Tell = Callable[..., None]


class Pulse:
    """When the training thread was last heard of, and whether it is inside `guard.step`. A step writes a clock here."""

    __slots__ = ("heard", "inside", "steps", "thread")

    def __init__(self) -> None:
        self.steps: deque[float] = deque(maxlen=RECENT)
        self.inside = False
        self.beat()

    def beat(self) -> None:
        """Note that this thread trains, now."""
        self.heard, self.thread = time.monotonic(), threading.get_ident()

    def enter(self) -> None:
        """Note that the guard has the batch."""
        self.inside = True
        self.beat()

    def leave(self) -> None:
        """Note that the user's loop has it."""
        self.inside = False
        self.beat()

    def step(self, seconds: float) -> None:
        """Note a whole step, from reading to reading."""
        self.steps.append(seconds)
        self.beat()


class Watchdog:
    """Looks at a pulse, and tells of each silence that is a hang, once, and of its end.

    `tell` is a method, which is held weakly: with its owner the thread ends. It never keeps the process alive. There is
    no thread where it is not `on`, or where the rule is off.
    """

    def __init__(self, pulse: Pulse, rule: Hang, tell: Tell, *, on: bool = True) -> None:
        self._pulse, self._rule = pulse, rule
        self._stop = threading.Event()
        self._tell = weakref.WeakMethod(tell, lambda _: self._stop.set())
        self._every = min(OFTEN, rule.least / 10)
        self._outlived = {True: 0.0, False: 0.0}
        self._told: tuple[float, bool] | None = None  # since when, and where, the silence is that was told
        self._thread = threading.Thread(target=self._work, name="rerail-watchdog", daemon=True)
        if on and rule.on:
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread; a silence that was told and is over is told to be."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _work(self) -> None:
        looked, excused = time.monotonic(), (0.0, 0.0)  # of the silence that began then, so much is not to blame
        while not self._stop.wait(self._every):
            now, heard = time.monotonic(), self._pulse.heard
            late = now - looked - self._every
            missed = excused[1] if excused[0] == heard else 0.0
            excused = heard, missed + (late if late > STOPPED else 0.0)
            looked = now
            self._look(now, heard, now - heard - excused[1])
        self._look_for_the_end(time.monotonic(), self._pulse.heard)

    def _look(self, now: float, heard: float, silent: float) -> None:
        self._look_for_the_end(now, heard)
        if self._told is not None or silent <= self._rule.least:
            return
        inside, normal = self._pulse.inside, usual(tuple(self._pulse.steps))
        if silent > self._rule.limit(normal, self._outlived[inside]):
            self._told = heard, inside
            self._say(
                "hang",
                silent=round(silent, 3),
                usual=None if normal is None else round(normal, 6),
                inside=inside,
                where=stack(self._pulse.thread),
                advice=look_at(inside=inside),
            )

    def _look_for_the_end(self, now: float, heard: float) -> None:
        if self._told is not None and heard != self._told[0]:
            began, inside = self._told
            self._told, self._outlived[inside] = None, max(self._outlived[inside], now - began)
            self._say("went on", silent=round(now - began, 3), inside=inside)

    def _say(self, text: str, **data: object) -> None:
        if (tell := self._tell()) is not None:
            tell(text, **data)


def stack(thread: int) -> list[str]:
    """Return where a thread stands, as `folder/file.py:line function`, innermost last; nothing where it has ended."""
    frame: FrameType | None = sys._current_frames().get(thread)  # noqa: SLF001 (the one way to see another thread)
    lines: list[str] = []
    while frame is not None and len(lines) < LINES:
        path = "/".join(Path(frame.f_code.co_filename).parts[-2:])
        lines.append(f"{path}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return lines[::-1]
