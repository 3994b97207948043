"""The buffers that a forward pass may change (BatchNorm statistics), so that a skipped step leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Buffers:
    """A copy of every buffer of a model, refreshed in place by `save` and written back by `restore`."""

    def __init__(self, model: nn.Module) -> None:
        # Looked up through their modules each time: a forward pass may replace a buffer as well as write into it.
        self._places = [(module, name) for module in model.modules() for name in module._buffers]  # noqa: SLF001
        self._saved = [None if live is None else live.detach().clone() for live in self._live()]

    def save(self) -> None:
        """Copy the buffers as they are now."""
        live = self._live()
        if any(_shape(one) != _shape(saved) for one, saved in zip(live, self._saved, strict=True)):
            self._saved = [None if one is None else one.detach().clone() for one in live]
            return
        self._copy(live, self._saved)

    def restore(self) -> None:
        """Put the buffers back to what `save` last saw."""
        self._put(self._saved)

    def _put(self, wanted: list[Tensor | None]) -> None:
        for (module, name), live, saved in zip(self._places, self._live(), wanted, strict=True):
            if _shape(live) != _shape(saved):
                module._buffers[name] = None if saved is None else saved.clone()  # noqa: SLF001
        self._copy(wanted, self._live())

    @contextmanager
    def before(self) -> Iterator[None]:
        """Inside the block the buffers are as `save` last saw them; afterwards as they were."""
        after = [None if one is None else one.detach().clone() for one in self._live()]
        self.restore()
        try:
            yield
        finally:
            self._put(after)

    def _live(self) -> list[Tensor | None]:
        return [module._buffers[name] for module, name in self._places]  # noqa: SLF001

    @staticmethod
    def _copy(sources: list[Tensor | None], targets: list[Tensor | None]) -> None:
        pairs = [
            (s.detach(), t.detach()) for s, t in zip(sources, targets, strict=True) if s is not None and t is not None
        ]
        if pairs:
            torch._foreach_copy_([target for _, target in pairs], [source for source, _ in pairs])


def unsaved(model: nn.Module) -> dict[str, Tensor]:
    """Copy the buffers that the state dict leaves out."""
    saved = set(model.state_dict(keep_vars=True))
    return {name: one.detach().to("cpu", copy=True) for name, one in model.named_buffers() if name not in saved}


def put_back(model: nn.Module, saved: Mapping[str, Any]) -> None:
    """Write saved buffers back; one that appeared since is emptied, one that changed its shape is replaced."""
    with torch.no_grad():
        for place, module in model.named_modules():
            for name, live in list(module._buffers.items()):  # noqa: SLF001 (the one place where buffers are replaced)
                old = saved.get(f"{place}.{name}" if place else name)
                if live is not None and old is not None and live.shape == old.shape:
                    live.copy_(old)
                else:
                    where = next(model.parameters()).device if live is None else live.device
                    module._buffers[name] = None if old is None else old.detach().to(where, copy=True)  # noqa: SLF001


def _shape(tensor: Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
