"""Which parameters took part in a forward pass: those of the modules that ran while gradients were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

SIGNAL = "path/cut"


@contextmanager
def ran(model: nn.Module) -> Iterator[set[str]]:
    """Inside the block collect the names of the parameters whose own module runs; no hook stays."""
    found: set[str] = set()

    def hook(module: nn.Module, _: object) -> None:
        if torch.is_grad_enabled():
            found.update(names[module])

    names = {
        module: [f"{path}.{name}".removeprefix(".") for name, _ in module.named_parameters(recurse=False)]
        for path, module in model.named_modules()
    }
    handles = [module.register_forward_pre_hook(hook) for module, held in names.items() if held]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def cut(model: nn.Module, taken: set[str]) -> dict[str, float]:
    """Return `path/cut`: how many of the parameters that took part have no gradient at all.

    One of zero throughout is none that is cut off: a loss whose weight is 0 gives it.
    """
    named = [(name, one) for name, one in model.named_parameters() if one.requires_grad and name in taken]
    return {SIGNAL: float(sum(one.grad is None for _, one in named))}
