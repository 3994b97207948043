"""A progress bar for each thing that takes a while, on a terminal alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as Screen
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining

from rerail.data.progress import Named


@contextmanager
def bars(screen: Screen | None = None) -> Iterator[Named]:
    """Show a bar for each name that is told, inside the block; on stderr, so that a pipe gets results alone."""
    out = screen or Screen(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), Remaining())
    with Progress(*columns, console=out, disable=not out.is_terminal) as progress:
        tasks = dict[str, TaskID]()

        def told(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield told
