"""How the activations are: forward hooks that are there for one step, look once at each module, and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rerail.sense.draws import Draws

RELUS = (nn.ReLU, nn.ReLU6)
BOUNDED: dict[type[nn.Module], tuple[float, float]] = {nn.Tanh: (-1.0, 1.0), nn.Sigmoid: (0.0, 1.0)}
NEAR = 1e-3  # how near to its limit an output is saturated
RARE = 0.05  # the share of outputs that must lie at each of two limits before both are taken for limits
FEWEST = 16  # places that a unit must be zero at; at fewer, half of all units are by chance
MOST = 64  # modules of one kind; a very deep network would fill the journal


class Activations:
    """Looks at one model. Nothing of it stays on the model between two looks.

    `act/dead/MODULE` is the share of units of a ReLU that are zero for every row and position; `act/saturated/MODULE`
    the share of tanh and sigmoid outputs within 1e-3 of their limits, or of a function of the user's own whose outputs
    lie at 0 and 1, or -1 and 1; `act/rms/MODULE` the root mean square of what a top-level module gives;
    `random/operations` how many operations drew random numbers; `hidden/FILE:LINE` how many NaN `nan_to_num` replaced
    there. Functional activations and compiled models cannot be
    seen.
    """

    def __init__(self, model: nn.Module, losses: Callable[..., Any] | None) -> None:
        self.skipped = hasattr(losses, "_torchdynamo_orig_callable") or any(map(_compiled, model.modules()))
        self.failed: Exception | None = None
        self._sizes = [(name, module) for name, module in model.named_children() if name][:MOST]
        self._units = list(_units(model))[:MOST]

    @contextmanager
    def watched(self, *, on: bool) -> Iterator[dict[str, Tensor]]:
        """Inside the block fill a dictionary, name -> 0-d tensor; the hooks are gone afterwards, whatever happens."""
        found: dict[str, Tensor] = {}
        if not on or self.skipped:
            yield found
            return
        looks = [(module, partial(_size, name, found)) for name, module in self._sizes]
        looks += [(module, partial(_unit, name, dim, found)) for name, module, dim in self._units]
        handles = [module.register_forward_hook(partial(self._look, look)) for module, look in looks]
        draws = Draws()
        try:
            with draws:
                yield found
        finally:
            for handle in handles:
                handle.remove()
        found["random/operations"] = torch.tensor(float(draws.count))
        found |= {f"hidden/{place}": count for place, count in draws.hidden.items()}

    def _look(self, look: Callable[[nn.Module, object], None], module: nn.Module, _: object, output: object) -> None:
        try:
            look(module, output)
        except Exception as error:  # noqa: BLE001 (the forward pass must go on; whoever reads the numbers raises it)
            self.failed, self.skipped = error, True


def _compiled(module: nn.Module) -> bool:
    # A hook would make the compiler start over.
    return isinstance(module, torch._dynamo.OptimizedModule) or module._compiled_call_impl is not None  # noqa: SLF001


def _units(model: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """Yield the hidden activations and the dimension of their units in 3-d outputs: 1 behind a convolution, else -1.

    A bounded one behind which no weights are registered is an output, which may rightly be sure of itself.
    """
    modules = list(model.named_modules())
    weighted = [n for n, (_, module) in enumerate(modules) if _has_matrix(module)]
    last, dim = max(weighted, default=-1), -1
    hidden = (*RELUS, *BOUNDED)
    for place, (name, module) in enumerate(modules):
        if _has_matrix(module):
            dim = 1 if isinstance(module, nn.modules.conv._ConvNd) else -1  # noqa: SLF001 (all convolutions)
        if type(module) in RELUS or (place < last and (type(module) in hidden or _foreign(module))):
            yield name, module, dim


def _foreign(module: nn.Module) -> bool:
    """Say whether a module is a function that torch does not have: no weights, no parts."""
    bare = not any(True for _ in module.children()) and not any(True for _ in module.parameters(recurse=False))
    return bare and not type(module).__module__.startswith("torch.")


def _has_matrix(module: nn.Module) -> bool:
    return any(one.dim() > 1 for one in module.parameters(recurse=False))


def _seen(output: object) -> Tensor | None:
    """Return a tensor that can be looked at: the output, or the first of several; none inside vmap or a compiler."""
    if isinstance(output, tuple | list) and output:
        output = output[0]
    traced = torch.compiler.is_compiling() or torch._C._functorch.peek_interpreter_stack() is not None  # noqa: SLF001
    fit = isinstance(output, Tensor) and output.is_floating_point() and output.numel() and not traced
    return output.detach() if fit and isinstance(output, Tensor) and output.layout is torch.strided else None


@torch.no_grad()
def _size(name: str, found: dict[str, Tensor], _: nn.Module, output: object) -> None:
    if f"act/rms/{name}" in found or (seen := _seen(output)) is None:
        return
    found[f"act/rms/{name}"] = torch.linalg.vector_norm(seen, dtype=_wide(seen)) / seen.numel() ** 0.5


@torch.no_grad()
def _unit(name: str, dim: int, found: dict[str, Tensor], module: nn.Module, output: object) -> None:
    kind = "dead" if type(module) in RELUS else "saturated"
    if f"act/{kind}/{name}" in found or (seen := _seen(output)) is None:
        return
    if kind == "saturated":
        wide = seen.to(_wide(seen))  # in bfloat16 a number within 1e-3 of 1 is 1
        found[f"act/{kind}/{name}"] = (
            _at_limits(wide, *BOUNDED[type(module)]) if type(module) in BOUNDED else _two(wide)
        )
        return
    if seen.dim() < 2:  # noqa: PLR2004 (no rows)
        return
    units = 1 if seen.dim() > 3 else dim  # noqa: PLR2004 (pictures and volumes have their channels second)
    places = seen.movedim(units, 0).flatten(1)
    if places.shape[1] >= FEWEST:
        found[f"act/{kind}/{name}"] = (places == 0).all(1).float().mean()


def _at_limits(seen: Tensor, low: float, high: float) -> Tensor:
    return ((seen < low + NEAR) | (seen > high - NEAR)).float().mean()


def _two(seen: Tensor) -> Tensor:
    """Return the share of outputs at 0 and 1, or at -1 and 1; 0 where either of the two is rare, or a number beyond."""
    low = torch.where(seen.min() < -NEAR, -1.0, 0.0)
    inside = ((seen > low - NEAR) & (seen < 1.0 + NEAR)).all()
    ends = torch.stack([((seen - limit).abs() < NEAR).float().mean() for limit in (low, torch.ones_like(low))])
    return torch.where(inside & (ends.min() > RARE), ends.sum(), 0.0)


def _wide(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype is torch.float64 else torch.float32
