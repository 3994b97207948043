"""ARC (arc-training): its controller is asked between backward and update, and rolls back or skips.

The loop is the one of its README. It is licensed under the AGPL; here it is only called. A run that it declares
unrecoverable goes on, as it does in that loop: the controller says to stop, and keeps on skipping.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from arc import Controller, HealthStatus

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """A loop with `Controller(model, optimizer, scheduler, scaler)`. A skip in its escape mode is no alarm, but waste."""

    name: str = "arc-training"
    needs: str = "arc-training==5.2.0.post1"
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        controller = Controller(run.model, run.optimizer, scheduler=run.scheduler, scaler=run.scaler, verbose=False)
        try:
            return _train(run, controller)
        finally:
            controller.close()


def _train(run: Run, controller: Controller) -> Played:
    found: list[int] = []
    standing: list[int] = []  # the controller's numbers of the steps whose update stands
    wasted = 0
    for tick, batch in enumerate(run.batches):
        loss = torch.tensor(steps.backward(run, batch, unscale=False))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it warns where it gives up
            action = controller.step(loss)
        if action.status is HealthStatus.FAILURE:
            found.append(tick)
        if action.rolled_back:
            kept = [step for step in standing if step <= controller.intervention_log[-1]["restored_step"]]
            wasted += len(standing) - len(kept)
            standing = kept
        if action.should_skip:
            wasted += 1
            continue
        steps.clip(run)
        if steps.commit(run):
            standing.append(action.step)
    return Played(detections=tuple(found), wasted=wasted)


RIVALS: tuple[Rival, ...] = (Controlled(),)
