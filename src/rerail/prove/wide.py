"""Full precision for code that casts by itself: every cast to a half format becomes one to single precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

HALF = (torch.float16, torch.bfloat16)


class Wide(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, no new tensor is of a half format, whoever asks for it. It slows every operation."""

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = dict(kwargs or {})
        if kwargs.get("dtype") in HALF:
            kwargs["dtype"] = torch.float32
        return func(*args, **kwargs)
