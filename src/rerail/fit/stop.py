"""Stop between two steps, not inside one: the first Ctrl-C or SIGTERM asks, a second Ctrl-C breaks off at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from typing_extensions import Self


class Stop:
    """While entered, notes the signals that ask the process to end. `asked` names the first of them."""

    def __init__(self) -> None:
        self.asked = ""
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python forbids signal handlers
            for one in (signal.SIGINT, signal.SIGTERM):
                self._before[one] = signal.signal(one, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)  # type: ignore[arg-type]

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        self.asked = self.asked or signal.Signals(number).name
