"""Which operation made the first number that is not finite: watch every operation of a replay, forward and backward.

It costs a few times a plain step, so it runs in replays only.
"""

from __future__ import annotations

import linecache
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from typing_extensions import Self

from rerail.act import rows
from rerail.core.trial import Operation
from rerail.sense.draws import drawing
from rerail.sense.place import ours, user_place

_GARBAGE = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "resize_", "empty_permuted"}
_TAKEN_IN = {"lift_fresh", "lift_fresh_copy"}  # what a tensor made of the user's own numbers passes through
_LONGEST = 160  # characters of a source line


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the non-finite numbers of one storage came from. `order` counts operations; sources come before all."""

    order: int
    made: Operation
    deliberate: bool = False  # an infinity that the code asked for, as masks do


@dataclass(slots=True)
class _Worst:
    """How bad the numbers of some tensors are: 0 finite, 1 an infinity, 2 NaN."""

    level: int = 0
    low: float = math.inf
    high: float = -math.inf
    marks: list[_Mark] = field(default_factory=list)


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows non-finite numbers from the operation that made them to the losses and gradients that they reach.

    `batches` are the micro-batches of the step; what is not finite in them or in the model's parameters was not made by
    an operation. `usual` are operations and lines whose infinities healthy batches live with; `made` gathers those of
    this one.
    """

    def __init__(
        self, model: nn.Module, batches: Sequence[Any], usual: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rows = [rows.count(batch) for batch in batches]
        self._first = [sum(self._rows[:number]) for number in range(len(batches))]
        self._part = 0
        self._count = 0
        self.draws = 0  # operations that drew random numbers
        self._usual = usual
        self.made: set[tuple[str, str]] = set()
        self._marks: dict[int, _Mark] = {}
        self._places = _Places(model)
        self._anomaly: Any = None
        for number, batch in enumerate(batches):
            self._mark_source(rows.tensors(batch), "batch", number)
        for name, parameter in model.named_parameters():
            self._mark_source([parameter.detach()], f"parameter {name}", 0)

    def part(self, number: int) -> None:
        """Say which micro-batch comes next."""
        self._part = number

    def __enter__(self) -> Self:
        self._places.__enter__()
        self._anomaly = torch.autograd.set_detect_anomaly(True, check_nan=False)  # takes effect at once
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        self._anomaly.__exit__(kind, error, trace)
        self._places.__exit__(kind, error, trace)

    def culprit(self, ends: Sequence[Tensor]) -> Operation | None:
        """Return what made the first non-finite number among those that reached `ends` (losses and gradients)."""
        marks = [mark for end in ends if not _finite(end) and (mark := self._marks.get(_storage(end)))]
        return min(marks, key=lambda mark: mark.order).made if marks else None

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        self._places.passed()
        before = self._worst((args, kwargs))
        result = func(*args, **kwargs)
        self._count += 1
        self.draws += drawing(func)
        name = func.overloadpacket.__name__
        if name not in _GARBAGE:
            self._follow(name, before, result)
        return result

    def _worst(self, given: object) -> _Worst:
        worst = _Worst()
        for tensor in _floating(given):
            low, high = _edges(tensor)
            level = _level(low, high)
            worst.level = max(worst.level, level)
            if level == 0:
                worst.low, worst.high = min(worst.low, low), max(worst.high, high)
            elif mark := self._marks.get(_storage(tensor)):
                worst.marks.append(mark)
        worst.level = max([worst.level, *(1 for one in _numbers(given) if math.isinf(one))])
        return worst

    def _follow(self, name: str, before: _Worst, result: object) -> None:
        for tensor in _floating(result):
            level = _level(*_edges(tensor))
            if not level:
                continue
            computed = [mark for mark in before.marks if not mark.deliberate]
            if computed:
                mark = min(computed, key=lambda one: one.order)
            elif before.marks and level <= before.level:
                mark = before.marks[0]
            elif name in _TAKEN_IN and before.level:  # an array of the user's, say
                mark = _Mark(-1, Operation(origin="batch", rows=self._of_batch(tensor)))
            else:
                made = self._operation(name, before, tensor)
                asked = before.level > 0 and level <= before.level
                usual = level == 1 and (made.name, made.line) in self._usual
                mark = _Mark(self._count, made, deliberate=asked or usual)
                self.made.add((made.name, made.line))
            self._marks[_storage(tensor)] = mark

    def _operation(self, name: str, before: _Worst, output: Tensor) -> Operation:
        node: Any = torch._C._current_autograd_node()  # noqa: SLF001 (autograd tells where it stands in no other way)
        place = user_place() if node is None else _recorded(node.metadata.get("traceback_", []))
        finite = before.low <= before.high
        return Operation(
            name=name,
            node="" if node is None else type(node).__name__,
            module=self._places.of(place),
            line=_shown(place),
            low=before.low if finite else 0.0,
            high=before.high if finite else 0.0,
            dtype=str(output.dtype).removeprefix("torch."),
            rows=self._spoilt(output),
        )

    def _spoilt(self, output: Tensor) -> tuple[int, ...]:
        count = self._rows[self._part] if self._rows else 0
        if count < 2 or output.dim() == 0:  # noqa: PLR2004 (a single row tells nothing)
            return ()
        bad = ~torch.isfinite(output.detach())
        if output.shape[0] % count == 0:
            lines = bad.reshape(count, -1)
        elif output.dim() > 1 and output.shape[1] == count:
            lines = bad.transpose(0, 1).reshape(count, -1)
        else:
            return ()
        found: list[int] = lines.any(1).nonzero().flatten().tolist()
        first = self._first[self._part]
        return tuple(first + row for row in found) if len(found) < count else ()

    def _of_batch(self, tensor: Tensor) -> tuple[int, ...]:
        where = rows.dimension(tensor, self._rows[self._part])
        if where is None:
            return ()
        bad = ~torch.isfinite(tensor).movedim(where, 0)
        found: list[int] = bad.reshape(len(bad), -1).any(1).nonzero().flatten().tolist()
        return tuple(self._first[self._part] + row for row in found)

    def _mark_source(self, tensors: Sequence[Tensor], origin: str, part: int) -> None:
        for tensor in _floating(list(tensors)):
            if not _finite(tensor):
                self._part = part
                spoilt = self._of_batch(tensor) if origin == "batch" else ()
                only_masks = bool((tensor.isneginf() | (tensor == 0)).all())  # what is added to scores
                kind, _, name = origin.partition(" ")
                made = Operation(origin=kind, module=name, rows=spoilt)
                self._marks[_storage(tensor)] = _Mark(-1, made, deliberate=only_masks and kind == "batch")
        self._part = 0


@contextmanager
def quietly_traced(
    model: nn.Module, batches: Sequence[Any], usual: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[Tracer]:
    """Trace a block: compiled modules run as they were written, and that anomalies are recorded raises no warning."""
    tracer = Tracer(model, batches, usual)
    with warnings.catch_warnings(), torch.compiler.set_stance("force_eager"):
        warnings.simplefilter("ignore")
        with tracer:
            yield tracer


class _Places:
    """The module that runs now, and for each source line the module it ran in."""

    def __init__(self, model: nn.Module) -> None:
        self._names = {module: name or type(model).__name__ for name, module in model.named_modules()}
        self._stack: list[str] = []
        self._lines: dict[tuple[str, int], str] = {}
        self._handles: list[Any] = []

    def passed(self) -> None:
        """Note, in the forward pass, which module the present source line runs in."""
        if self._stack and torch._C._current_autograd_node() is None:  # noqa: SLF001 (no public name)
            self._lines.setdefault(user_place(), self._stack[-1])

    def of(self, place: tuple[str, int]) -> str:
        return self._lines.get(place, "")

    def __enter__(self) -> None:
        modules = nn.modules.module
        self._handles = [
            modules.register_module_forward_pre_hook(self._in),
            modules.register_module_forward_hook(self._out, always_call=True),
        ]

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _in(self, module: nn.Module, _: object) -> None:
        self._stack.append(self._names.get(module, type(module).__name__))

    def _out(self, *_: object) -> None:
        self._stack.pop()


def _floating(given: object) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        if (given.is_floating_point() or given.is_complex()) and given.numel() and rows.plain(given):
            yield given
    elif isinstance(given, Mapping):
        for one in given.values():
            yield from _floating(one)
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _floating(one)


def _edges(tensor: Tensor) -> tuple[float, float]:
    real = torch.view_as_real(tensor.detach().resolve_conj()) if tensor.is_complex() else tensor.detach()
    low, high = torch.aminmax(real)
    return float(low), float(high)


def _level(low: float, high: float) -> int:
    return 2 if math.isnan(low) or math.isnan(high) else int(math.inf in (high, -low))


def _numbers(given: object) -> Iterator[float]:
    if isinstance(given, float):
        yield given
    elif isinstance(given, Mapping):
        for one in given.values():
            yield from _numbers(one)
    elif isinstance(given, list | tuple):
        for one in given:
            yield from _numbers(one)


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 (views share it, and it has no public name)


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _recorded(entries: Sequence[str]) -> tuple[str, int]:
    """The same from what autograd recorded in the forward pass: `File "x.py", line 3, in f`, the innermost last."""
    for entry in reversed(entries):
        parts = entry.partition("\n")[0].split('"')
        if len(parts) > 2 and not ours(parts[1]):  # noqa: PLR2004 (a file name stands between quotes)
            return parts[1], int(parts[2].partition("line ")[2].partition(",")[0] or 0)
    return "", 0


def _shown(place: tuple[str, int]) -> str:
    file, number = place
    if not file:
        return ""
    short = "/".join(file.replace("\\", "/").split("/")[-2:])
    return f"{short}:{number}: {linecache.getline(file, number).strip()[:_LONGEST]}"
