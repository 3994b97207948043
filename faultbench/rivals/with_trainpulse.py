"""trainpulse: its monitor is told loss, gradient norm and learning rate of each step, and raises alerts.

Step times are not logged, or its alarm for a slow step would tell how busy the machine is.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainpulse import Monitor

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A plain loop with `Monitor()`."""

    name: str = "trainpulse"
    needs: str = "trainpulse==0.4.0"
    passive: bool = True

    def play(self, run: Run) -> Played:
        """Train the run."""
        monitor = Monitor()
        for tick, batch in enumerate(run.batches):
            loss = steps.backward(run, batch)
            monitor.log("loss", tick, loss)
            monitor.log("grad_norm", tick, steps.norm(run))
            monitor.log("learning_rate", tick, float(run.optimizer.param_groups[0]["lr"]))
            steps.clip(run)
            steps.commit(run)
        return Played(detections=tuple(sorted({alert.step for alert in monitor.alerts})))


RIVALS: tuple[Rival, ...] = (Pulse(),)
