"""The best weights of a run by a held-out metric, and whether there is still hope of better ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

WEIGHTS, WAITED = "best.pt", "best.json"


@dataclass(slots=True)
class Best:
    """Keeps them in memory, and in the run's folder, so that a resumed run has them; smaller is better.

    `seen` is the step of the last measurement: what a run that has gone back measures again counts once. Where the disk
    takes no more, `told` hears of it, and the run goes on.
    """

    run: Path | None
    patience: int
    least_gain: float = 0.0
    told: Callable[[str], None] = lambda _: None
    value: float = math.inf
    step: int = 0
    waited: int = 0
    seen: int = -1
    weights: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(
        cls, run: Path | None, patience: int, least_gain: float, told: Callable[[str], None] = lambda _: None
    ) -> Best:
        """Begin, or go on from what a run has kept."""
        best = cls(run, patience, least_gain, told)
        if patience and run is not None and (run / WEIGHTS).is_file():
            kept: dict[str, Any] = torch.load(run / WEIGHTS, map_location="cpu", weights_only=True)
            best.value, best.step, best.weights = kept["value"], kept["step"], kept["weights"]
            best.seen = best.step
            waited = json.loads((run / WAITED).read_text(encoding="utf8")) if (run / WAITED).is_file() else {}
            if waited.get("seen", best.step) >= best.step:  # else killed after the weights were written, before this
                best.waited, best.seen = int(waited.get("waited", 0)), int(waited.get("seen", best.step))
        return best

    @property
    def enough(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.waited

    def look(self, value: float, step: int, model: nn.Module) -> bool:
        """Take a measurement; return whether patience has run out. One that is not finite is no gain."""
        if self.patience == 0 or step <= self.seen:
            return self.enough
        self.seen = step
        gained = value < self.value - (self.least_gain if math.isfinite(self.value) else 0.0)
        if gained:
            self.value, self.step, self.waited = value, step, 0
            self.weights = {name: one.detach().cpu().clone() for name, one in model.state_dict().items()}
        else:
            self.waited += 1
        self._keep(weights=gained)
        return self.enough

    def restore(self, model: nn.Module) -> None:
        """Put the best weights into the model, where there are any."""
        if self.weights:
            model.load_state_dict(self.weights)

    def _keep(self, *, weights: bool) -> None:
        if self.run is None or not self.weights:
            return
        try:
            if weights:
                new = self.run / f"{WEIGHTS}.new"
                torch.save({"value": self.value, "step": self.step, "weights": self.weights}, new)
                new.replace(self.run / WEIGHTS)
            new = self.run / f"{WAITED}.new"
            new.write_text(json.dumps({"waited": self.waited, "seen": self.seen}), encoding="utf8")
            new.replace(self.run / WAITED)
        except (OSError, RuntimeError) as error:  # torch's writer raises the latter for a full disk
            self.told(str(error).partition("\n")[0])
