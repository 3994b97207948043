"""The named losses of one forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor


class Losses(Mapping[str, "Tensor"]):
    """Named, unweighted, masked loss components, each a 0-d tensor; `signals` are extras that nothing descends on.

    A 0-d signal is read every step under `signal/NAME`; larger ones (an alignment, say) are kept for figures.
    """

    __slots__ = ("components", "signals")

    def __init__(self, signals: Mapping[str, Tensor] | None = None, **components: Tensor) -> None:
        if not components:
            raise ValueError("Losses() needs at least one component; got none; give e.g. Losses(mel=..., gate=...)")
        self.components = components
        self.signals = dict(signals or {})

    def __getitem__(self, name: str) -> Tensor:
        return self.components[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.components)

    def __len__(self) -> int:
        return len(self.components)

    @classmethod
    def of(cls, given: Tensor | Mapping[str, Tensor]) -> Losses:
        """Take what a user's `losses` returned: these, a mapping, or one tensor (called `loss`).

        Raises:
            ValueError: for a component that is not a scalar.
        """
        if isinstance(given, Losses):
            losses = given
        elif isinstance(given, Mapping):
            losses = cls(None, **given)
        else:
            losses = cls(loss=given)
        for name, value in losses.items():
            if not isinstance(value, Tensor):
                raise ValueError(f"loss {name!r} must be a scalar tensor, got {type(value).__name__}: {value!r}")
            if value.dim():
                shape = tuple(value.shape)
                raise ValueError(f"loss {name!r} must be a scalar tensor, got shape {shape}; reduce it (masked mean)")
        return losses

    def total(self, weights: Mapping[str, float]) -> Tensor:
        """Return the weighted sum, 0-d; a component that `weights` does not name counts 1."""
        parts = [value * weights.get(name, 1.0) for name, value in self.components.items()]
        total = parts[0].float()
        for part in parts[1:]:
            total = total + part.float()
        return total
