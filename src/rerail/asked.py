"""Does what people ask of a run, between two of its steps: wait, go on, end."""

from __future__ import annotations

import time
from collections.abc import Callable

from rerail.guard import Guard
from rerail.requests import Inbox, Request

LOOK_SECONDS = 0.2  # how soon a paused run hears that it may go on


class Requests:
    """What people ask of one run. Asking it costs one look at a file's time.

    ```python
    requests = rerail.Requests(guard)
    for batch in loader:
        if requests.stop():
            break
        guard.step(batch)
    guard.close("stopped" if requests.by else "finished")
    ```

    `by` is who asked the run to end, empty as long as nobody did; `saved` says whether it could be saved then. Where
    `over` says that the run ends for another reason, a pause ends with it.
    """

    def __init__(self, guard: Guard, over: Callable[[], bool] = lambda: False) -> None:
        self._guard, self._over = guard, over
        self._inbox = Inbox(guard.run)
        self.by, self.saved = "", False

    def stop(self) -> bool:
        """Do what was asked since the last call; say whether the run is to end.

        A run that is to wait waits in here, which is heard of as training is. It is saved first, as is one that is to
        end. No pause is counted into the time of a step.
        """
        if (asked := self._inbox.take()) is not None:
            self._do(asked)
        return bool(self.by) or self._over()

    def save(self) -> bool:
        """Save the run; say whether that could be done. The journal has the reason where it could not."""
        try:
            return self._guard.save() is not None
        except (OSError, ValueError) as error:  # a full disk, or a state that is not finite: neither breaks off the run
            self._guard.note("checkpoint not saved", step=self._guard.steps, error=str(error))
            return False

    def _do(self, asked: Request) -> None:
        if asked.wish == "pause":
            self._wait(asked)
        elif asked.wish == "stop":
            self._end(asked)
        else:
            self._note(asked)

    def _wait(self, asked: Request) -> None:
        began = heard = time.monotonic()
        self._note(asked)
        self.save()
        after: Request | None = None
        while (after is None or after.wish == "pause") and not self._over():
            time.sleep(LOOK_SECONDS)
            now = time.monotonic()
            self._guard.idle(now - heard)
            heard, after = now, self._inbox.take()
        if after is None:
            return
        if after.wish == "resume":
            self._note(after, waited=round(heard - began, 3))
        else:
            self._end(after)

    def _end(self, asked: Request) -> None:
        self.by = asked.by or "somebody"
        self._note(asked)
        self.saved = self.save()

    def _note(self, asked: Request, **more: object) -> None:
        self._guard.note("asked", wish=asked.wish, by=asked.by, step=self._guard.steps, **more)
