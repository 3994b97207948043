"""Load an optional library, or say how to get it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def need(module: str, *, extra: str) -> ModuleType:
    """Import `module`, which the base install leaves out.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:  # the library is there, but misses one of its own: that is the news
            raise
        message = f'{module} is not installed, and this needs it; run: pip install "rerail[{extra}]"'
        raise ModuleNotFoundError(message, name=module) from error
