"""Where in the user's code something happens."""

from __future__ import annotations

import sys

OURS = ("/rerail/prove/", "/rerail/sense/", "/rerail/guard.py", "/torch/")  # frames that are not the user's


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
    return any(part in file.replace("\\", "/") for part in OURS)
