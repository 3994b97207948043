"""rerail keeps PyTorch training runs alive and converging.

What stands here is loaded when it is asked for: a process that only reads a journal needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rerail._version import __version__

if TYPE_CHECKING:
    from rerail.asked import Requests
    from rerail.doctor import Check, examine
    from rerail.guard import Derailed, Guard, Keep, Losses, Picture, Plan, Sound, Step

__all__ = [
    "Check",
    "Derailed",
    "Guard",
    "Keep",
    "Losses",
    "Picture",
    "Plan",
    "Requests",
    "Sound",
    "Step",
    "__version__",
    "examine",
]

_ELSEWHERE = {"Requests": "rerail.asked", "Check": "rerail.doctor", "examine": "rerail.doctor"}


def __getattr__(name: str) -> object:
    if name in __all__:
        found = globals()[name] = getattr(import_module(_ELSEWHERE.get(name, "rerail.guard")), name)
        return found
    if not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None:  # rerail.guard.Guard
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
