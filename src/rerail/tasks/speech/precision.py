"""Where half precision is used: in products, and only on devices that do them faster than in single precision.

A processor without instructions for it computes bf16 products several times slower than fp32 ones. There autocast is
taken as leave, not as an order: the network runs in fp32, which is faster and more exact.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor


def pays(device: str, dtype: torch.dtype) -> bool:
    """Whether a device has instructions for products in this format."""
    if device != "cpu":
        return True
    names = ("amx_fp16",) if dtype == torch.float16 else ("avx512_bf16", "amx_tile")
    # torch has no public way to ask; a version that cannot tell is taken for a no
    return any(getattr(torch.cpu, f"_is_{name}_supported", bool)() for name in names)


def settled(x: Tensor) -> torch.autocast:
    """Autocast as the caller has it where it pays on x's device, else off."""
    device = x.device.type
    dtype = torch.get_autocast_dtype(device)
    return torch.autocast(device, dtype=dtype, enabled=torch.is_autocast_enabled(device) and pays(device, dtype))


def fast(weight: Tensor) -> Tensor:
    """A weight cast once to the format of autocast, for a loop that multiplies by it at every step."""
    device = weight.device.type
    return weight.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else weight


def wide(x: Tensor) -> Tensor:
    """In single precision at least: half would not do for states that are added up, and for a softmax."""
    return x.float() if x.dtype in {torch.bfloat16, torch.float16} else x


def exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a `torch.autograd.Function`'s method outside autocast; its first tensor argument tells the device."""

    @wraps(function)
    def outside(*arguments: object) -> Any:  # noqa: ANN401
        device = next(one for one in arguments if isinstance(one, Tensor)).device.type
        with torch.autocast(device, enabled=False):
            return function(*arguments)

    return outside
