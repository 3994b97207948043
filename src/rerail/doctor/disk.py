"""The disk that a run is written to: room, speed, kind."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from rerail.doctor.check import Check, absent, failed, found, skipped

LEAST = 2**30  # bytes
SLOWEST = 10 * 2**20  # bytes a second
SIZE = 16 * 2**20
SKEW = 60.0  # seconds between the file system's clock and ours
NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "lustre", "beegfs", "ceph", "gpfs")
MOUNTS = Path("/proc/mounts")


def disk(folder: Path) -> tuple[Check, ...]:
    """Look at the disk that `folder`, which need not be there yet, will be on."""
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
    return (space(there), speed(there), mount(there, MOUNTS.read_text(encoding="utf8") if MOUNTS.exists() else ""))


def space(folder: Path) -> Check:
    """A full disk stops checkpoints, not training."""
    free = shutil.disk_usage(folder).free
    told = f"{free / 2**30:.1f} GiB free"
    if free < LEAST:
        return failed("disk space", told, "make room, or give another folder by --run", free=free)
    return found("disk space", told, free=free)


def speed(folder: Path) -> Check:
    """Write and sync a file, as a checkpoint does, and compare its time stamp with the clock."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            began = time.perf_counter()
            file.write(os.urandom(SIZE))
            file.flush()
            written = time.perf_counter() - began
            os.fsync(file.fileno())
            rate = SIZE / (time.perf_counter() - began)
            skew = abs(time.time() - Path(file.name).stat().st_mtime)
    except OSError as error:
        return failed("disk speed", f"nothing can be written: {error.strerror}", "give another folder by --run")
    told = f"{rate / 2**20:.0f} MiB/s, sync included (sync alone {SIZE / rate - written:.2f} s)"
    seen = {"rate": rate, "sync": SIZE / rate - written, "skew": skew}
    if rate < SLOWEST:
        return failed("disk speed", told, "write to a local disk, and copy the run afterwards", **seen)
    if skew > SKEW:
        do = "set the clock of this machine or of the file server (NTP)"
        return failed("disk speed", f"the file system's clock is {skew:.0f} s off", do, **seen)
    return found("disk speed", told, **seen)


def mount(folder: Path, mounts: str) -> Check:
    """Say whether the folder is on a network mount; `mounts` are the lines of /proc/mounts."""
    lines = [line.split() for line in mounts.splitlines() if line.strip()]
    kinds = {place.replace("\\040", " "): kind for _, place, kind, *_ in lines}
    place = next((str(one) for one in (folder, *folder.parents) if str(one) in kinds), "")
    if not place:
        return skipped("disk kind", "this system does not tell")
    if kinds[place].startswith(NETWORK):
        do = "a write may fail late, and locks may not hold: use one folder a run, keep checkpoints on a local disk"
        return absent("disk kind", f"{kinds[place]}, a network mount", do)
    return found("disk kind", kinds[place])
