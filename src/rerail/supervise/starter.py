"""The process that began a supervisor, from then until it trains."""

from __future__ import annotations

import time
from typing import final

from rerail.process import place
from rerail.supervise.life import Life

NOTEWORTHY_SECONDS = 300.0  # a program that ends so soon, before it trains, is seen to end by whoever started it


@final
class Starter:
    """The process that began the supervisor, until it trains: it may prepare data for hours."""

    def __init__(self, pid: int) -> None:
        self._pid, self._trains = pid, not pid
        self._since, self._now = time.monotonic(), time.time()
        self._life = Life()
        if pid:
            self._life.follow({"pid": pid, "place": place()}, at=time.time())

    def waits(self) -> bool:
        """Whether it is there and does not train yet."""
        return not self._trains and self._life.look() == "alive"

    @property
    def gone(self) -> bool:
        """Whether it ended before it trained."""
        return not self._trains and self._life.look() == "gone"

    @property
    def gone_unseen(self) -> bool:
        """Whether it did so when nobody may have looked any more."""
        return self.gone and time.monotonic() - self._since > NOTEWORTHY_SECONDS

    def began(self, pid: int, *, at: float) -> None:
        """Note that a process trains since a moment: it, or one that it has started."""
        self._trains = self._trains or pid == self._pid or at > self._now
