"""A run that trains elsewhere, on the terminal: where it stands, its figures, what is in force, its last events."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from rich.console import Console as Screen
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from rerail.tell import fields, phrases, words
from rerail.tell.console import STYLES

if TYPE_CHECKING:
    from types import TracebackType

    from rerail.tell.live.state import Event, State

_COLOURS = {
    **dict.fromkeys(("training", "finished"), "green"),
    **dict.fromkeys(("paused", "stopped", "waiting"), "yellow"),
    **dict.fromkeys(("silent", "halted", "broken", "ended"), "bold red"),
}


def lines(name: str, state: State, now: float, events: int) -> list[str]:
    """Where a run stands, in plain lines."""
    latest = state.latest
    of = "" if state.total is None else f"/{state.total}"
    told = [f"{fields.plain(name)}: {state.told(now)}"]
    if latest.step is not None:
        told.append(f"step {latest.step}{of}, tick {latest.tick}: {words.reading(latest.values)}")
    if latest.held_out:
        told.append(f"on held-out data: {_held_out(state)}")
    if in_force := phrases.knobs(latest.knobs):
        told.append(f"in force: {in_force}")
    return [*told, *(f"{one.where}: {one.text}" for one in list(state.events)[-events:])]


@final
class Watching:
    """The live display; a context manager, as the cursor must come back."""

    def __init__(self, name: str, screen: Screen) -> None:
        self._name, self._screen = name, screen
        columns = (TextColumn("step", markup=False), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=screen)
        self._task = self._progress.add_task("step", total=None)
        self._live = Live(console=screen, auto_refresh=False)

    def __enter__(self) -> Watching:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, state: State, now: float) -> None:
        """Draw the state anew."""
        self._progress.update(self._task, total=state.total, completed=state.latest.step or 0)
        self._live.update(Group(*self._picture(state, now)), refresh=True)

    def tell(self, event: Event) -> None:
        """Write an event above the display, where it stays."""
        self._screen.print(self._line(f"{event.where}: {event.text}", STYLES.get(event.kind, "")))

    def _picture(self, state: State, now: float) -> list[Text | Progress]:
        latest = state.latest
        title = self._line(f"{self._name}: {state.told(now)}", _COLOURS[state.word(now)])
        told = [self._line(words.reading(latest.values))] if latest.values else []
        held = [self._line(f"on held-out data: {_held_out(state)}")] if latest.held_out else []
        in_force = phrases.knobs(latest.knobs)
        knobs = [self._line(f"in force: {in_force}", "yellow")] if in_force else []
        return [title, self._progress, *told, *held, *knobs]

    def _line(self, text: str, style: str = "") -> Text:
        """As `Text`, because names may look like markup."""
        return Text(fields.writable(fields.plain(text, 2000), self._screen.encoding), style=style)


def _held_out(state: State) -> str:
    return ", ".join(f"{fields.plain(name)} {fields.figure(value)}" for name, value in state.latest.held_out.items())
