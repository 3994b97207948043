"""What the sensors saw at one tick, on the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNCOUNTED = "look/uncounted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One tick's signals: `loss/mel`, `grad/norm/decoder`, `weight/norm`, `update/ratio`, `input/nonfinite/3`, ..."""

    tick: int
    values: Mapping[str, float]

    def under(self, prefix: str) -> dict[str, float]:
        """Return the signals named `prefix/...`, under their full names."""
        start = prefix + "/"
        return {name: value for name, value in self.values.items() if name.startswith(start)}

    def off(self, name: str) -> bool:
        """Say whether `name` is a loss component of weight 0 (`off/mel` beside `loss/mel`): nothing descends on it."""
        return f"off/{name.removeprefix('loss/')}" in self.values

    def felt(self, name: str) -> float:
        """Return a loss as the update feels it where the knobs lessen its weight; a weight that they raise is meant."""
        return self.values[name] * min(1.0, self.values.get(f"knob/{name}", 1.0))

    @property
    def counted(self) -> bool:
        """Say whether decisions may go by its held-out metrics; by a last look off the grid they may not."""
        return UNCOUNTED not in self.values

    @property
    def dear(self) -> bool:
        """Say whether the dear sensors were on; at all other ticks there is nothing to look for among them."""
        return "param/total" in self.values
