"""A folder that is there complete or not at all."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STALE = 24 * 3600.0  # seconds after which a draft that nobody finished is cleared away


@contextmanager
def draft(target: Path) -> Iterator[Path]:
    """Give a new folder to fill, which becomes `target` when the block ends well and is gone when it does not.

    Raises:
        ValueError: where `target` is there already: nothing is overwritten.
    """
    refuse_taken(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_stale(target)
    with scratch(target.parent, f".{target.name}.") as folder:
        yield folder
        refuse_taken(target)
        folder.chmod(0o755)
        folder.rename(target)


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder below `parent`, and remove what is left of it after the block."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".draft", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refuse_taken(target: Path) -> None:
    """Refuse a place that holds something.

    Raises:
        ValueError: naming it.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} is there already; nothing was overwritten; choose another folder or remove it")


def _clear_stale(target: Path) -> None:
    # A process that was killed leaves its draft behind. One of today may still be at work.
    for left in target.parent.glob(f".{target.name}.*.draft"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
