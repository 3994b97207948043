"""Batches made ahead in a thread, with the position of each, so that a saved position is that of the last one used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from rerail.fit.task import Data


class Ahead:
    """A loader whose next `depth` batches are being made while the last one is trained on."""

    def __init__(self, data: Data, depth: int) -> None:
        self.data, self.depth = data, depth
        self._position = data.state_dict()

    def __iter__(self) -> Iterator[Any]:
        """Yield batches from the present position on."""
        made: queue.Queue[tuple[Any, dict[str, Any], BaseException | None]] = queue.Queue(self.depth)
        done = threading.Event()
        maker = threading.Thread(target=_make, args=(self.data, made, done), name="rerail-batches", daemon=True)
        maker.start()
        try:
            while True:
                batch, position, error = made.get()
                if error is not None:
                    raise error
                self._position = position
                yield batch
        finally:
            done.set()
            while maker.is_alive():
                _drained(made)
                maker.join(0.05)
            self.data.load_state_dict(self._position)

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the batch given out last."""
        return self._position

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Go to a position; before batches are asked for, not while they come."""
        self.data.load_state_dict(state_dict)
        self._position = state_dict


def _make(
    data: Data, made: queue.Queue[tuple[Any, dict[str, Any], BaseException | None]], done: threading.Event
) -> None:
    try:
        for batch in data:
            made.put((batch, data.state_dict(), None))
            if done.is_set():
                return
        ended = "the loader has ended, and training batches are to be endless; start it anew each epoch"
        made.put((None, {}, RuntimeError(ended)))
    except BaseException as error:  # noqa: BLE001 (handed to the thread that trains)
        made.put((None, {}, error))


def _drained(made: queue.Queue[Any]) -> None:
    while not made.empty():
        made.get_nowait()
