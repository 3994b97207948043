"""Where in the user's code something happens."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

_RERAIL, _TORCH = (str(Path(one).parent).replace("\\", "/") for one in (Path(__file__).parent, str(torch.__file__)))
OURS = (f"{_RERAIL}/prove/", f"{_RERAIL}/sense/", f"{_RERAIL}/guard.py", f"{_TORCH}/")  # not the user's


def user_place() -> tuple[str, int]:
    """Return the file and line of the user's code that runs now; nothing where there is none."""
    frame = sys._getframe(1)  # noqa: SLF001 (walking frames reads no source, so it can be done at every operation)
    while frame is not None:
        if not ours(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0


def ours(file: str) -> bool:
    """Say whether a file is rerail's own, or torch's."""
    return file.replace("\\", "/").startswith(OURS)
