"""Wider numbers for code that casts by itself: single precision in place of half, or double in place of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

HALF = (torch.float16, torch.bfloat16)
BELOW_DOUBLE = (*HALF, torch.float32)
CONVOLUTIONS = {getattr(torch, f"conv{kind}{dimensions}d") for kind in ("", "_transpose") for dimensions in (1, 2, 3)}
FLOATING = (*BELOW_DOUBLE, torch.float64)


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


class Double(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, every operation computes in double precision. Parameters and batch stay as they are.

    Operations that write into a tensor, or only look at it in another shape, keep its format: what they share with
    others would come apart. In a backward pass an operation is as wide as the widest that it is given, and a cast does
    what it says: autograd brings each gradient back to the format of what it belongs to.
    """

    def __init__(self, *, backward: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._backward = backward

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = dict(kwargs or {})
        if not self._backward and kwargs.get("dtype") in BELOW_DOUBLE:
            kwargs["dtype"] = torch.float64
        if func.is_view:
            return func(*args, **kwargs)
        formats = {one.dtype for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        double = not self._backward or torch.float64 in formats
        to = _written(func, args, kwargs) or (torch.float64 if double else None)
        return func(*tree_map(partial(_cast, to=to), args), **tree_map(partial(_cast, to=to), kwargs))


class Even(TorchFunctionMode):
    """While entered, a convolution is given all its tensors in double: it compares formats before it computes."""

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        to = torch.float64 if func in CONVOLUTIONS else None
        return func(*tree_map(partial(_cast, to=to), args), **tree_map(partial(_cast, to=to), dict(kwargs or {})))


@contextmanager
def doubled(*, backward: bool = False) -> Iterator[None]:
    """Compute in double precision, without oneDNN's kernels, which have none."""
    before = torch._C._get_mkldnn_enabled()  # noqa: SLF001 (the public flags warn about other hardware)
    torch._C._set_mkldnn_enabled(False)  # noqa: SLF001
    try:
        with Even(), Double(backward=backward):
            yield
    finally:
        torch._C._set_mkldnn_enabled(before)  # noqa: SLF001


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> torch.dtype | None:  # noqa: ANN401
    # An operation that writes computes in the format of what it writes to (the running statistics of a BatchNorm, say).
    for number, argument in enumerate(func._schema.arguments):  # noqa: SLF001 (the schema has no public name)
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[number] if number < len(args) else kwargs.get(argument.name)
            if isinstance(given, Tensor) and given.is_floating_point():
                return given.dtype
    return None


def _cast(one: Any, to: torch.dtype | None) -> Any:  # noqa: ANN401 (an argument is anything)
    return one.to(to) if isinstance(one, Tensor) and one.dtype in FLOATING and to is not None else one
