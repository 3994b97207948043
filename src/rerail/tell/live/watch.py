"""Following runs on the terminal, or in plain lines where nobody looks, until they end. Nothing here touches a run."""

from __future__ import annotations

import copy
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rich.live import Live

from rerail.tell import fields, printed
from rerail.tell.console import Console
from rerail.tell.live.follow import Glance
from rerail.tell.live.runs import Found, find
from rerail.tell.live.screen import Watching, lines
from rerail.tell.live.state import State
from rerail.tell.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console as Screen

HEADINGS = ("Run", "State", "Step", "Loss", "Last event")
_LOOK_SECONDS = 0.5  # between two looks at a journal
_LIST_SECONDS = 2.0  # and at a folder with runs
_EVENTS = 10  # the last ones, at the beginning


class Watcher:
    """Watches one run. `pause` waits so many seconds between two looks."""

    def __init__(self, folder: Path, screen: Screen, pause: Callable[[float], None] = time.sleep) -> None:
        self.state, self._tail = State(), Tail(folder)
        self._name, self._screen, self._pause = folder.resolve().name, screen, pause
        for record in self._tail.poll():
            self.state.take(record)

    def once(self) -> None:
        """Say where the run stands."""
        told = lines(self._name, self.state, time.time(), _EVENTS)
        printed.text("\n".join(told), self._screen)

    def until_it_ends(self, every: int) -> State:
        """Show what is new until the run ends; `every` so many steps a line of figures, where there is no terminal."""
        if self.state.ended or not self._screen.is_terminal:
            self.once()
        if not self.state.ended:
            self._displayed() if self._screen.is_terminal else self._in_lines(every)
        return self.state

    def _displayed(self) -> None:
        fresh = list(self.state.events)[-_EVENTS:]
        with Watching(self._name, self._screen) as display:
            while True:
                for event in fresh:
                    display.tell(event)
                display.show(self.state, time.time())
                if self.state.ended:
                    return
                self._pause(_LOOK_SECONDS)
                shown = self.state.records
                self._look()
                fresh = [event for event in self.state.events if event.number > shown]

    def _in_lines(self, every: int) -> None:
        latest = copy.copy(self.state.latest)
        console = Console(total=self.state.total, every=every, screen=self._screen, latest=latest)
        before = self.state.word(time.time())
        while not self.state.ended:
            self._pause(_LOOK_SECONDS)
            self._look(console)
            word = self.state.word(time.time())
            if word != before and word == "silent":
                printed.text(self.state.told(time.time()), self._screen)
            before = word

    def _look(self, listener: Callable[[fields.Record], None] = lambda _: None) -> None:
        for record in self._tail.poll():
            self.state.take(record)
            listener(record)
        if self._tail.replaced:  # the run began anew, in the same folder
            self._tail.replaced, self.state = 0, State()


def all_runs(folder: Path, screen: Screen, *, once: bool, pause: Callable[[float], None] = time.sleep) -> None:
    """Show a table of the runs in a folder; on a terminal anew every few seconds, until Ctrl-C.

    Raises:
        ValueError: where there is none.
    """
    glances: dict[str, Glance] = {}
    if not find(folder):
        raise ValueError(
            f"{fields.plain(folder)} holds no run, and none is below it; give runs/NAME or a folder of runs"
        )
    if once or not screen.is_terminal:
        printed.table(HEADINGS, rows(find(folder), glances), screen)
        return
    with Live(console=screen, auto_refresh=False, screen=False) as live:
        for _ in count():
            live.update(printed.drawn(HEADINGS, rows(find(folder), glances), screen), refresh=True)
            pause(_LIST_SECONDS)


def rows(found: Sequence[Found], glances: dict[str, Glance]) -> list[tuple[str, ...]]:
    """A row for each run; `glances` keeps what was read of it."""
    return [_row(one, glances.setdefault(one.key, Glance(one.folder))) for one in found]


def _row(found: Found, glance: Glance) -> tuple[str, ...]:
    try:
        state = glance.advance()
    except (OSError, ValueError) as error:
        return found.name, f"cannot be read: {fields.plain(error)}", "", "", ""
    step = "" if state.latest.step is None else f"{state.latest.step}{'' if state.total is None else f'/{state.total}'}"
    losses = ", ".join(
        f"{fields.plain(name, 40)} {fields.figure(value)}" for name, value in [*state.losses.items()][:2]
    )
    return found.name, state.told(time.time()), step, losses, state.events[-1].text if state.events else ""
