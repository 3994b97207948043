"""A run's whole state as plain containers and tensors, captured as a copy and restored in place."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from rerail.act import buffers

SWOLLEN = 1e4
_PLAIN = (bool, int, float, str, type(None), np.random.Generator, random.Random)


class Stateful(Protocol):
    """Whatever carries state: a schedule, a scaler, an EMA, a loader."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:  # noqa: ANN401 (torch returns various things)
        """Take the state."""
        ...


class Held:
    """The parameters that the optimizers hold, by name, and the model's others. Looked up again where a group grows."""

    def __init__(self, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self._model, self._optimizers = model, optimizers
        self._count = -1
        self._named: list[tuple[str, nn.Parameter]] = []
        self._others: list[nn.Parameter] = []

    def all(self) -> list[nn.Parameter]:
        """Return every parameter of every group."""
        return [one for optimizer in self._optimizers for group in optimizer.param_groups for one in group["params"]]

    def named(self) -> list[tuple[str, nn.Parameter]]:
        """Return the trained parameters with their names; those outside the model are `loose.N`."""
        groups = (group for optimizer in self._optimizers for group in optimizer.param_groups)
        if (count := sum(len(group["params"]) for group in groups)) != self._count:
            self._count = count
            self._look()
        return self._named

    def gradients(self) -> list[Tensor]:
        """Return the gradients that stand."""
        return [one.grad for _, one in self.named() if one.grad is not None]

    def zero_gradients(self) -> None:
        """Forget all gradients, also those of parameters that no optimizer holds: they would add up for ever."""
        for _, parameter in self.named():
            parameter.grad = None
        for parameter in self._others:
            parameter.grad = None

    def _look(self) -> None:
        held = {id(one): one for one in self.all()}
        self._named = [(name, one) for name, one in self._model.named_parameters() if id(one) in held]
        self._others = [one for one in self._model.parameters() if id(one) not in held]
        own = {id(one) for _, one in self._named}
        loose = [one for number, one in held.items() if number not in own]
        self._named += [(f"loose.{number}", one) for number, one in enumerate(loose)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a rewind restores. `others` are schedules and all that the user named.

    A loss scale is kept apart, since a run may go on where none is needed, or one is.
    """

    model: nn.Module
    optimizers: Sequence[torch.optim.Optimizer]
    others: Sequence[Stateful] = ()
    scaler: Stateful | None = None
    held: Held = field(init=False)

    def __post_init__(self) -> None:
        """Look which parameters are trained."""
        object.__setattr__(self, "held", Held(self.model, self.optimizers))

    def loose(self) -> list[nn.Parameter]:
        """Return the parameters that an optimizer holds and the model does not: a criterion's, a temperature."""
        own = {id(parameter) for parameter in self.model.parameters()}
        return [parameter for parameter in self.held.all() if id(parameter) not in own]

    def generators(self) -> list[torch.Generator]:
        """Return the generators that modules keep as attributes of their own."""
        held = (one for module in self.model.modules() for one in vars(module).values())
        return [one for one in held if isinstance(one, torch.Generator)]

    def masks(self) -> frozenset[str]:
        """Return the names of the buffers that hold infinities now, before training: masks, which may."""
        return frozenset(name for name, buffer in self.model.named_buffers() if not finite(buffer))


class Plain:
    """What the user's own modules keep beside tensors: counters and settings, generators of Python and NumPy.

    A replay must find and leave them as they were. A rewind does not touch them: they may follow the user's loop.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._held = [vars(one) for one in modules if not type(one).__module__.startswith("torch.")]

    def capture(self) -> list[dict[str, Any]]:
        """Return the plain attributes of each module, and its generators' states."""
        return [
            {name: _drawn(value) for name, value in held.items() if name[0] != "_" and isinstance(value, _PLAIN)}
            for held in self._held
        ]

    def restore(self, captured: Sequence[Mapping[str, Any]]) -> None:
        """Put them back."""
        for held, saved in zip(self._held, captured, strict=False):
            for name, value in saved.items():
                _put_back(held, name, value)


def _put_back(held: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401 (see `_drawn`)
    if isinstance(held[name], np.random.Generator):
        held[name].bit_generator.state = value
    elif isinstance(held[name], random.Random):
        held[name].setstate(value)
    elif name != "training":
        held[name] = value


def _drawn(value: Any) -> Any:  # noqa: ANN401 (a number, or a generator's state, which NumPy gives as a dict)
    if isinstance(value, np.random.Generator):
        return copy.deepcopy(value.bit_generator.state)
    return value.getstate() if isinstance(value, random.Random) else value


def capture(parts: Parts) -> dict[str, Any]:
    """Copy the state of all parts and of every random generator."""
    return {
        "model": _copy(parts.model.state_dict()),
        "buffers": buffers.unsaved(parts.model),
        "loose": [parameter.detach().to("cpu", copy=True) for parameter in parts.loose()],
        "optimizers": [_copy(optimizer.state_dict()) for optimizer in parts.optimizers],
        "others": [_copy(other.state_dict()) for other in parts.others],
        "scaler": {} if parts.scaler is None else _copy(parts.scaler.state_dict()),
        "random": capture_random(parts.generators()),
    }


def restore(parts: Parts, state: Mapping[str, Any]) -> None:
    """Put every part and generator back to `state`, which stays untouched."""
    named = {**state["buffers"], **state["model"]}
    buffers.put_back(parts.model, named)
    parts.model.load_state_dict(state["model"])
    with torch.no_grad():
        for parameter, saved in zip(parts.loose(), state["loose"], strict=True):
            parameter.copy_(saved)
    for optimizer, saved in zip(parts.optimizers, state["optimizers"], strict=True):
        _restore_optimizer(optimizer, saved)
    others, scale = _apart(state)
    for other, saved in zip(parts.others, others, strict=True):
        other.load_state_dict(_copy(saved))
    if parts.scaler is not None and scale:
        parts.scaler.load_state_dict(_copy(scale))
    restore_random(state["random"], parts.generators())


def _apart(state: Mapping[str, Any]) -> tuple[list[Any], Mapping[str, Any]]:
    """The other parts' states, and the loss scale's, which older checkpoints have among the former."""
    if "scaler" in state:
        return list(state["others"]), state["scaler"]
    scales = [one for one in state["others"] if isinstance(one, Mapping) and "growth_factor" in one]
    return [one for one in state["others"] if not any(one is scale for scale in scales)], scales[0] if scales else {}


def _restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    groups = list(optimizer.param_groups)
    optimizer.load_state_dict(_copy(saved))  # an optimizer keeps what it is given, and would write into it
    for number, (group, loaded) in enumerate(zip(groups, optimizer.param_groups, strict=True)):
        group.clear()  # the user's loop may hold this very group, to set its learning rate
        group.update(loaded)
        optimizer.param_groups[number] = group
    trained = [one for group in groups for one in group["params"]]
    for number, kept in saved["state"].items():  # torch casts to the weights' format, which is not always the state's
        _in_its_own_format(optimizer.state[trained[number]], kept)


def _in_its_own_format(loaded: dict[str, Any], saved: Mapping[str, Any]) -> None:
    for name, value in saved.items():
        if isinstance(value, Tensor) and loaded[name].dtype != value.dtype:
            loaded[name] = value.to(loaded[name].device, copy=True)


def capture_random(own: Sequence[torch.Generator]) -> dict[str, Any]:
    """Return the states of Python's, NumPy's, torch's, CUDA's and the modules' `own` generators, in plain types."""
    _, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 (what users' code draws from)
    return {
        "python": random.getstate(),
        "numpy": [torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "own": [one.get_state() for one in own],
    }


def restore_random(state: Mapping[str, Any], own: Sequence[torch.Generator]) -> None:
    """Set every generator to a captured state."""
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))
    keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    for one, drawn in zip(own, state.get("own", ()), strict=False):
        one.set_state(drawn)


def sound(state: Mapping[str, Any], masks: frozenset[str]) -> bool:
    """Say whether a captured state is finite: weights, optimizers, other state, and buffers that are not `masks`."""
    named = {**state["model"], **state["buffers"]}
    return finite(
        [
            [value for name, value in named.items() if name not in masks],
            state["loose"],
            state["optimizers"],
            state["others"],
            state.get("scaler", {}),
        ]
    )


def swollen(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    """Say whether a weight is `SWOLLEN` times as large as any was in an earlier state: no training does that."""
    return _extent(now["model"]) > SWOLLEN * max(1.0, _extent(then["model"]))


def _extent(state: object) -> float:
    floating = [tensor.detach() for tensor in walk(state) if tensor.is_floating_point() and tensor.numel()]
    known = [one for one in (float(tensor.abs().max()) for tensor in floating) if math.isfinite(one)]
    return max(known, default=0.0)


def finite(state: object) -> bool:
    """Say whether no tensor of a state holds a non-finite number, in one transfer per device."""
    floating = [tensor.detach() for tensor in walk(state) if tensor.is_floating_point() and tensor.numel()]
    edges = [edge.to("cpu", torch.float64) for tensor in floating for edge in tensor.aminmax()]  # NaN comes through
    return bool(torch.isfinite(torch.stack(edges)).all()) if edges else True


def size(state: object) -> int:
    """Return the bytes of all tensors of a state."""
    return sum(tensor.numel() * tensor.element_size() for tensor in walk(state))


def walk(state: object) -> Iterator[Tensor]:
    """Yield every tensor of nested containers."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, Mapping):
        for value in state.values():
            yield from walk(value)
    elif isinstance(state, list | tuple):
        for value in state:
            yield from walk(value)


def _copy(state: Any) -> Any:  # noqa: ANN401 (state dicts hold anything)
    if isinstance(state, Tensor):  # on the host: the device's memory is the run's own
        return state.detach().to("cpu", copy=True)
    if isinstance(state, Mapping):
        return {key: _copy(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(_copy(value) for value in state)
    return copy.deepcopy(state)
