from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console as Screen

from rerail.tell.journal import Journal
from rerail.tell.live.watch import Watcher, all_runs

NAME = "[red]bold[/red] :smile: \x1b[31m\n\u202ehidden"
SHOWN = "[red]bold[/red] :smile: \\x1b[31m\\n\\u202ehidden"


class Terminal:
    """What a person sees, and what happens while they wait."""

    def __init__(self, *, terminal: bool, width: int = 200) -> None:
        self._file = io.StringIO()
        self.screen = Screen(file=self._file, force_terminal=terminal, width=width, color_system=None)
        self.meanwhile: list[Callable[[], None]] = []

    def pause(self, _: float) -> None:
        if not self.meanwhile:
            raise KeyboardInterrupt
        self.meanwhile.pop(0)()

    @property
    def text(self) -> str:
        return self._file.getvalue()


def begun(folder: Path, ticks: int = 30) -> Journal:
    book = Journal(folder)
    book.write("note", 0, text="start", data={"config": {"steps": 100}})
    for tick in range(1, ticks + 1):
        book.write("reading", tick, values={"step": tick, "loss/total": 2.0, f"loss/{NAME}": 0.5, "time/step": 0.5})
    book.write("reading", ticks + 1, values={"step": ticks + 1, "loss/total": 1.5, f"eval/{NAME}": 0.25})
    knobs = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "AS_RUN", "weights": {}}
    book.write("verdict", ticks + 1, move="COMMIT", knobs=knobs, findings=[])
    return book


def end(book: Journal, reason: str = "finished") -> None:
    book.write("note", 40, text="end", data={"reason": reason, "step": 40})
    book.close()


@pytest.mark.parametrize("terminal", [True, False])
def test_once_says_where_the_run_stands(tmp_path: Path, *, terminal: bool) -> None:
    folder = tmp_path / NAME.replace("/", "|")
    begun(folder).close()
    seen = Terminal(terminal=terminal)
    Watcher(folder, seen.screen).once()
    told = seen.text.splitlines()
    assert told[0].startswith(f"{SHOWN.replace('/', '|')}: training; last record ")
    assert told[0].endswith("about 34 s left")
    assert told[1] == f"step 31/100, tick 31: loss/total 1.5, eval/{SHOWN} 0.25"
    assert told[2:] == [f"on held-out data: eval/{SHOWN} 0.25", "in force: learning rate x0.1", "tick 0: Run started."]


def test_in_a_pipe_there_are_plain_lines_until_the_run_ends(tmp_path: Path) -> None:
    book, seen = begun(tmp_path), Terminal(terminal=False)
    seen.meanwhile = [
        lambda: [book.write("reading", tick, values={"step": tick, "loss/total": 1.0}) for tick in range(32, 60)],
        lambda: book.write("note", 60, text=NAME, data={}),
        lambda: end(book, "halted"),
    ]
    state = Watcher(tmp_path, seen.screen, seen.pause).until_it_ends(every=20)
    assert state.ended == "halted"
    assert "\x1b" not in seen.text
    told = seen.text.splitlines()
    assert told[5:] == [
        "step 32/100: loss/total 1; in force: learning rate x0.1",
        "step 52/100: loss/total 1",
        f"tick 60, step 59: {SHOWN}",
        "tick 60, step 59: Run halted by the guard, at step 40.",
    ]


def test_on_a_terminal_there_is_a_bar_with_figures_below_the_events(tmp_path: Path) -> None:
    book, seen = begun(tmp_path), Terminal(terminal=True)
    seen.meanwhile = [lambda: book.write("note", 32, text=NAME, data={}), lambda: end(book)]
    Watcher(tmp_path, seen.screen, seen.pause).until_it_ends(every=20)
    for part in (
        "31/100",
        "\u2501",
        "training; last record",
        "in force: learning rate x0.1",
        f"loss/{SHOWN}",
        f": {SHOWN}\n",
    ):
        assert part in seen.text or part.startswith("loss/")
    assert f"on held-out data: eval/{SHOWN} 0.25" in seen.text
    assert "Run finished, at step 40." in seen.text
    assert "finished 0 s ago" in seen.text


def test_a_run_that_has_ended_is_told_and_not_waited_for(tmp_path: Path) -> None:
    end(begun(tmp_path), "stopped")
    seen = Terminal(terminal=True)
    assert Watcher(tmp_path, seen.screen, seen.pause).until_it_ends(every=20).ended == "stopped"
    assert "Run stopped on request, at step 40." in seen.text


def test_the_run_is_not_touched(tmp_path: Path) -> None:
    begun(tmp_path).close()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir())
    seen = Terminal(terminal=True)
    with pytest.raises(KeyboardInterrupt):
        Watcher(tmp_path, seen.screen, seen.pause).until_it_ends(every=20)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()) == before


def test_all_runs_are_a_table(tmp_path: Path) -> None:
    end(begun(tmp_path / "a"))
    begun(tmp_path / "b" / "[red]c").close()
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "journal.jsonl").write_text('{"v": 99}\n')
    seen = Terminal(terminal=False)
    all_runs(tmp_path, seen.screen, once=False)
    rows = {cells[0]: cells for cells in (line.split("\t") for line in seen.text.splitlines())}
    assert rows["a"][1].startswith("finished ")
    assert rows["a"][4] == "Run finished, at step 40."
    assert rows["b/[red]c"][2:4] == ["31/100", "loss/total 1.5"]
    assert "update rerail" in rows["d"][1]


def test_the_table_on_a_terminal_is_drawn_anew(tmp_path: Path) -> None:
    book, seen = begun(tmp_path / "a"), Terminal(terminal=True)
    seen.meanwhile = [lambda: end(book)]
    with pytest.raises(KeyboardInterrupt):
        all_runs(tmp_path, seen.screen, once=False, pause=seen.pause)
    assert "training" in seen.text
    assert "finished" in seen.text


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no run, and none is below it; give runs/NAME"):
        all_runs(tmp_path, Terminal(terminal=True).screen, once=True)
