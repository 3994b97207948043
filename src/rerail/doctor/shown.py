"""Checks on a screen: a table with what to do under each line that asks for it, and a bar while they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console as Screen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rerail.doctor.check import Check
from rerail.doctor.examine import NAMES, Watch
from rerail.tell import fields, printed

SIGNS = {True: "ok", False: "FAIL", None: "-"}
STYLES = {True: "green", False: "bold red", None: "dim"}


def show(title: str, checks: Sequence[Check], screen: Screen | None = None) -> None:
    """Print checks; where nobody looks, as plain lines."""
    out = screen or Screen()
    if not out.is_terminal:
        printed.text("\n".join([f"{title}:", *(line for check in checks for line in _lines(check))]), out)
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 1))
    for check in checks:
        told = Text(_plain(check.told, out.encoding), overflow="fold")
        if check.do:
            told.append(f"\n{_plain(check.do, out.encoding)}", "yellow")
        table.add_row(Text(SIGNS[check.passed], STYLES[check.passed]), Text(check.name), told)
    out.print(table)


def ending(checks: Sequence[Check], screen: Screen | None = None) -> int:
    """Print how many failed; return the exit code: 1 where any did."""
    bad = sum(check.passed is False for check in checks)
    passed = sum(check.passed is True for check in checks)
    printed.text(f"{passed} passed, {bad} failed, {len(checks) - passed - bad} not applicable", screen)
    return 1 if bad else 0


@contextmanager
def bar(screen: Screen | None = None) -> Iterator[Watch]:
    """Show a progress bar inside the block, on a terminal alone."""
    out = screen or Screen()
    columns = (TextColumn("{task.description:30s}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("", total=len(NAMES))
        yield lambda name, number, _: progress.update(task, description=name, completed=number)


def _lines(check: Check) -> list[str]:
    line = f"{SIGNS[check.passed]:5s}{check.name:31s}{fields.plain(check.told)}"
    return [line, *([f"{'':36s}do: {fields.plain(check.do)}"] if check.do else [])]


def _plain(words: str, encoding: str) -> str:
    return fields.writable(fields.plain(words), encoding)
