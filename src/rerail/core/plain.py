"""Typed records to plain data and back: one way for the journal, the checkpoints and the config files.

Plain data is what JSON holds. Non-finite numbers, which JSON lacks, are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def dump(value: object) -> Any:  # noqa: ANN401 (plain data has no narrower type)
    """Turn dataclasses, enums, mappings, sequences and numbers into plain data."""
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): dump(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: dump(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [dump(item) for item in value]
    message = f"cannot write {type(value).__name__} as plain data: {value!r}"
    raise TypeError(message)


def load(kind: type[T], data: object) -> T:
    """Build a `kind` from what `dump` made of one; fields that are missing keep their defaults.

    Raises:
        ValueError: for an unknown field or a value of another type.
    """
    return _load(kind, data, kind.__name__)  # type: ignore[no-any-return]


def _load(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401 (walks over type expressions)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is not None:
        return _load_generic(origin, parts, data, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[data]
    if is_dataclass(kind):
        return _load_record(kind, data, where)
    if kind is float and isinstance(data, int | float | str) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise ValueError(f"{where}: expected {kind.__name__}, got {data!r}")
    return data


def _load_generic(origin: Any, parts: tuple[Any, ...], data: Any, where: str) -> Any:  # noqa: ANN401
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:  # noqa: PLR2004 (tuple[X, ...])
        return tuple(_load(parts[0], item, where) for item in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _load(parts[1], item, f"{where}.{key}") for key, item in data.items()}
    raise ValueError(f"{where}: records of this type are not supported: {origin!r}")


def _load_record(kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
    if not isinstance(data, Mapping):
        raise ValueError(f"{where}: expected the fields of {kind.__name__}, got {data!r}")
    hints = get_type_hints(kind)
    if unknown := sorted(set(data) - set(hints)):
        raise ValueError(f"{where}: unknown {', '.join(unknown)}; it has: {', '.join(sorted(hints))}")
    return kind(**{name: _load(hints[name], item, f"{where}.{name}") for name, item in data.items()})
