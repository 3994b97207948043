"""How many operations of a forward pass draw random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def drawing(operation: Any) -> bool:  # noqa: ANN401 (torch has no public type for it)
    """Say whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in getattr(operation, "tags", ())  # operators of a higher order have none


class Draws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, count the operations that torch marks as drawing from a generator (dropout, noise, sampling)."""

    supports_higher_order_operators = True  # torch.cond and its like are run as they are

    @classmethod
    def is_infra_mode(cls) -> bool:
        """Say that compiled parts of a step may run inside: it looks on and changes nothing."""
        return True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        self.count += drawing(func)
        return func(*args, **(kwargs or {}))
