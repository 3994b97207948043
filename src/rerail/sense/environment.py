"""What a run ran on, for the journal's first record."""

from __future__ import annotations

import platform

import torch

from rerail._version import __version__


def environment() -> dict[str, object]:
    """Return versions, threads and devices. No path, no host or user name."""
    return {
        "rerail": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "cuda": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }
