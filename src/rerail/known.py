"""What a step says of itself without a look at any tensor: its number, its time, its settings, its samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import torch

from rerail.act.commit import groups, settings
from rerail.sense.watchdog import Pulse


class Known:
    """Gathers the host's own signals of one run, tick by tick."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer], scaler: torch.amp.GradScaler | None = None) -> None:
        self._optimizers, self._scaler = optimizers, scaler
        self.pulse = Pulse()
        self._observed: dict[str, float] = {}
        self._settings: dict[str, float] = {}  # as last told
        self._present: Sequence[str] = ()  # ids of the batch of the last reading
        self._given: Sequence[str] = ()  # and of the batch that was committed last
        self._same = self._backoffs = 0
        self._clock = self._returned = time.perf_counter()
        self._wait = 0.0

    def called(self) -> None:
        """Note that a batch has come."""
        self._wait = time.perf_counter() - self._returned
        self.pulse.enter()

    def attempted(self) -> None:
        """Note that the loader was waited for once; later attempts at this batch did not."""
        self._wait = 0.0

    def returning(self) -> None:
        """Note that the user's loop goes on."""
        self._returned = time.perf_counter()
        self.pulse.leave()

    def observe(self, values: Mapping[str, float]) -> None:
        """Add numbers to the next reading."""
        self._observed |= values
        self.pulse.beat()

    def idle(self, seconds: float) -> None:
        """Leave so many seconds out of the time of the next step; they are no silence either."""
        self._clock += seconds
        self._returned += seconds
        self.pulse.beat()

    def take_observed(self) -> dict[str, float]:
        """Hand over what was observed since the last reading."""
        taken, self._observed = self._observed, {}
        return taken

    def overflowed(self, *, again: bool) -> None:
        """Count the overflows of the loss scale in a row."""
        self._backoffs = self._backoffs + 1 if again else 0

    def committed(self) -> None:
        """Note that the batch of the last reading was committed."""
        self._given = self._present

    def read(self, step: int, ids: Sequence[str] | None, same: Callable[[], bool] | None = None) -> dict[str, float]:
        """Return the signals of this tick; `ids` are its samples, None where the user's own loop has the batch.

        `same` says whether the batch holds what the last one did, and is asked only where the ids are the same.
        """
        now = time.perf_counter()
        values = {"step": float(step), "lr": float(groups(self._optimizers)[0]["lr"]), "time/step": now - self._clock}
        self.pulse.step(now - self._clock)
        self._clock = now
        if ids is not None:
            values |= {"time/wait": self._wait, **self._repeated(ids, same)}
        if self._scaler is not None:
            values |= {"scale": float(self._scaler.get_scale()), "scale/backoffs": float(self._backoffs)}
        return {**values, **self._changed(), **self.take_observed()}

    def _repeated(self, ids: Sequence[str], same: Callable[[], bool] | None) -> dict[str, float]:
        self._present = ids
        self._same = self._same + 1 if ids and list(ids) == list(self._given) and (same is None or same()) else 0
        return {"batch/same": float(self._same)} if any(ids) else {}

    def _changed(self) -> dict[str, float]:
        now = settings(groups(self._optimizers))
        changed = {f"setting/{name}": value for name, value in now.items() if self._settings.get(name) != value}
        self._settings = now
        return changed
