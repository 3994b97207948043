"""What operations of a forward pass tell by themselves: how many draw random numbers, and which replace NaN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rerail.sense.place import user_place

REPLACING = (torch.ops.aten.nan_to_num, torch.ops.aten.nan_to_num_)


def drawing(operation: Any) -> bool:  # noqa: ANN401 (torch has no public type for it)
    """Say whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in getattr(operation, "tags", ())  # operators of a higher order have none


class Draws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, count the operations that torch marks as drawing from a generator (dropout, noise, sampling).

    `hidden` tells how many NaN were replaced at each line of the user's code, as `FILE:LINE`; a 0-d tensor each.
    """

    supports_higher_order_operators = True  # torch.cond and its like are run as they are

    @classmethod
    def is_infra_mode(cls) -> bool:
        """Say that compiled parts of a step may run inside: it looks on and changes nothing."""
        return True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0
        self.hidden: dict[str, Tensor] = {}

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        self.count += drawing(func)
        if getattr(func, "overloadpacket", None) in REPLACING:
            self._replaced(args[0])
        return func(*args, **(kwargs or {}))

    @torch.no_grad()
    def _replaced(self, given: Tensor) -> None:
        # The user's step must go on: kinds of tensors that cannot be counted (masked, fake, meta) are passed over.
        if type(given) not in {Tensor, nn.Parameter} or given.layout is not torch.strided or given.is_meta:
            return
        file, line = user_place()
        place = f"{file.replace(chr(92), '/').rpartition('/')[2]}:{line}"
        count = torch.isnan(given.detach()).sum().float()
        before = self.hidden.get(place, count.new_zeros(()))
        self.hidden[place] = before + count.to(before.device)  # a model may lie on several devices
