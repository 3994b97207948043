"""StabilityGuard: its `GuardedOptimizer` in place of the optimizer, which skips a step that spikes in any layer.

It writes reports to a folder and prints what it does; both are thrown away. Its hooks are full backward hooks on every
module, which torch forbids round operations in place; such a run ends with torch's error. Under a loss scaler an
overflow never reaches it, but its hooks remember, and it skips the next step.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

from stabilityguard import GuardedOptimizer

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """The loop of its README."""

    name: str = "StabilityGuard"
    needs: str = "stabilityguard==0.3.0"
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            optimizer = GuardedOptimizer(run.optimizer, run.model, log_dir=folder)
            try:
                return _train(replace(run, optimizer=optimizer, scheduler=None, after_commit=None), run, optimizer)
            finally:
                optimizer.close()


def _train(guarded: Run, run: Run, optimizer: GuardedOptimizer) -> Played:
    found = []
    for tick, batch in enumerate(run.batches):
        steps.backward(guarded, batch)
        steps.clip(guarded)
        before = optimizer.total_spikes
        happened = steps.commit(guarded)
        if optimizer.total_spikes > before:
            found.append(tick)
        elif happened:
            steps.follow(run)
    return Played(detections=tuple(found), wasted=len(found))


RIVALS: tuple[Rival, ...] = (Guarded(),)
