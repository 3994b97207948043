"""The run on the terminal: a progress bar with current figures, events in plain words above it.

Where standard output is no terminal (a pipe, a log file, a batch system), plain lines take its place: every event, and
a line of readings every N steps, without a single control sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from rich.console import Console as Screen
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from rerail.tell import fields, phrases, words
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from types import TracebackType

    from rerail.tell.fields import Record

STYLES = {"verdict": "bold red", "cause": "bold", "remedy": "yellow", "snapshot": "dim", "artifact": "dim"}


@final
class Console:
    """A listener that shows the run; used as a context manager, which ends the live display.

    Args:
        total: optimizer steps that the run will take, where known.
        every: without a terminal, one line of readings every so many steps.
        screen: where to write; standard output by default.
        latest: where the run stands already.
    """

    def __init__(
        self,
        *,
        total: int | None = None,
        every: int = 20,
        screen: Screen | None = None,
        latest: Latest | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"a line every N steps needs N >= 1; got {every}; give 1 for a line each step")
        self._screen = screen or Screen()
        self._total, self._every = total, every
        self._latest = latest or Latest()
        self._shown: int | None = None
        self._progress = _bar(self._screen)
        self._task = self._progress.add_task("step", total=total)
        self._live = Live(self._picture(), console=self._screen, refresh_per_second=4)

    def __enter__(self) -> Console:
        if self._alive():
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._latest.update(record)
        if record.get("kind") == "reading":
            self._refresh() if self._alive() else self._line()
        elif (sentence := words.say(record)) is not None:
            self._tell(f"{self._latest.where()}: {sentence}", _style(record))

    def _alive(self) -> bool:
        return self._screen.is_terminal and not self._screen.is_dumb_terminal

    def _refresh(self) -> None:
        self._progress.update(self._task, completed=self._latest.step or 0)
        self._live.update(self._picture())

    def _picture(self) -> Group:
        """The bar, the figures and the knobs; `Text` throughout, because names may look like markup."""
        figures = self._latest.values | self._latest.held_out  # held-out metrics are rare, so the last ones stay
        lines = [Text(self._writable(words.reading(figures)))] if figures else []
        if in_force := phrases.knobs(self._latest.knobs):
            lines.append(Text(self._writable(f"in force: {in_force}"), style="yellow"))
        return Group(self._progress, *lines)

    def _line(self) -> None:
        """A plain line whenever the run has moved `every` steps, in either direction."""
        step = self._latest.tick if self._latest.step is None else self._latest.step
        if self._shown is not None and abs(step - self._shown) < self._every:
            return
        self._shown = step
        of = "" if self._total is None else f"/{self._total}"
        in_force = phrases.knobs(self._latest.knobs)
        self._tell(f"step {step}{of}: {words.reading(self._latest.values)}{in_force and f'; in force: {in_force}'}", "")

    def _tell(self, sentence: str, style: str) -> None:
        if self._alive():
            self._screen.print(Text(self._writable(sentence), style=style))
        else:
            self._screen.file.write(self._writable(sentence) + "\n")
            self._screen.file.flush()

    def _writable(self, line: str) -> str:
        return fields.writable(line, self._screen.encoding)


def _bar(screen: Screen) -> Progress:
    columns = (TextColumn("step", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=screen)


def _style(record: Record) -> str:
    if "recovered" in record:
        return "green" if record["recovered"] is True else "red"
    return STYLES.get(str(record.get("kind")), "")
