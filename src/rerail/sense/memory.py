"""How much memory the run holds, and how busy its device is."""

from __future__ import annotations

import os
from pathlib import Path

import torch

_STATM = Path("/proc/self/statm")


def memory(device: torch.device) -> dict[str, float]:
    """Return `memory/host`, and on CUDA `memory/device`, in bytes, and `device/used`, a share of the last second.

    Of the host it is what is resident, less pages of files, which the system takes back where it needs them (a cache
    that is mapped grows as it is read); nothing where the system, or NVML, does not say so.
    """
    found = {"memory/host": _resident()} if _STATM.exists() else {}
    if device.type == "cuda":
        found["memory/device"] = float(torch.cuda.memory_allocated(device))
        found |= _used(device)
    return found


def _used(device: torch.device) -> dict[str, float]:
    try:
        return {"device/used": torch.cuda.utilization(device) / 100.0}
    except Exception:  # noqa: BLE001 (without pynvml, or where NVML does not answer, by an error of its own library)
        return {}


def _resident() -> float:
    _, resident, of_files, *_ = map(int, _STATM.read_text(encoding="ascii").split())
    return float(resident - of_files) * os.sysconf("SC_PAGE_SIZE")
