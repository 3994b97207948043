"""What is wrong with a saved state, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is wrong. `where` is a tensor's or a setting's name, empty where the whole state is meant.

    Codes: `file.damaged`; `weights.nonfinite`, `weights.far` (beyond all proportion to a reference);
    `optimizer.nonfinite` and `optimizer.negative` moments, `optimizer.exploded`, `optimizer.impossible` (no gradients
    lead there); `settings.nonfinite`, `settings.other` than the run's own; and of what was measured on held-out data
    `loss.nonfinite`, `loss.worse` and `attention.lost`.
    """

    code: str
    where: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def of_weights(self) -> bool:
        """Say whether the weights cannot be used as they are; else a fresh optimizer is enough."""
        return not self.code.startswith(("optimizer.", "settings."))
