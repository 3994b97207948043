"""What fits a machine: batches by memory."""

from __future__ import annotations

import torch

BY_MEMORY = ((20.0, 48, 1), (12.0, 32, 1), (8.0, 16, 2), (0.0, 8, 4))  # GB, clips a micro-batch, micro-batches


def by_memory(gigabytes: float) -> tuple[int, int]:
    """Return (clips a micro-batch, micro-batches a step) for so much memory of a device.

    Raises:
        ValueError: for no memory at all.
    """
    if not gigabytes > 0:
        raise ValueError(f"memory: got {gigabytes} GB; give more than 0")
    return next((batch, accumulate) for least, batch, accumulate in BY_MEMORY if gigabytes >= least)


def memory(device: torch.device) -> float:
    """Return the memory of a CUDA device in GB; 12, which gives batches of 32, where batches only cost time (CPU)."""
    if device.type != "cuda":
        return 12.0
    return torch.cuda.get_device_properties(device).total_memory / 1e9
