"""How much memory the run holds."""

from __future__ import annotations

import os
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")


def memory(device: torch.device) -> dict[str, float]:
    """Return `memory/host`, and `memory/device` on CUDA, in bytes.

    Of the host it is what is resident; nothing where the system does not say so.
    """
    found = {"memory/host": _resident()} if _STATM.exists() else {}
    if device.type == "cuda":
        found["memory/device"] = float(torch.cuda.memory_allocated(device))
    return found


def _resident() -> float:
    return float(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
