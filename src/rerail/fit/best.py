"""The best weights of a run by a held-out metric, and whether there is still hope of better ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

NAME = "best.pt"


@dataclass(slots=True)
class Best:
    """Keeps them in memory, and in the run's folder, so that a resumed run has them; smaller is better."""

    run: Path | None
    patience: int
    least_gain: float = 0.0
    value: float = math.inf
    step: int = 0
    waited: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Path | None, patience: int, least_gain: float) -> Best:
        """Begin, or go on from what a run has kept."""
        best = cls(run, patience, least_gain)
        if run is not None and (run / NAME).is_file():
            kept: dict[str, Any] = torch.load(run / NAME, map_location="cpu", weights_only=True)
            best.value, best.step, best.waited = kept["value"], kept["step"], kept["waited"]
            best.weights = kept["weights"]
        return best

    def look(self, value: float, step: int, model: nn.Module) -> bool:
        """Take a measurement; return whether patience has run out. One that is not finite is no gain."""
        if self.patience == 0:
            return False
        if value < self.value - (self.least_gain if math.isfinite(self.value) else 0.0):
            self.value, self.step, self.waited = value, step, 0
            self.weights = {name: one.detach().cpu().clone() for name, one in model.state_dict().items()}
        else:
            self.waited += 1
        self._keep()
        return self.waited >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Put the best weights into the model, where there are any."""
        if self.weights:
            model.load_state_dict(self.weights)

    def _keep(self) -> None:
        if self.run is None or not self.weights:
            return
        kept = {"value": self.value, "step": self.step, "waited": self.waited, "weights": self.weights}
        new = self.run / f"{NAME}.new"
        torch.save(kept, new)
        new.replace(self.run / NAME)
