from __future__ import annotations

import io

from rich.console import Console

from rerail.doctor.check import failed, found, skipped, some
from rerail.doctor.shown import bar, ending, show

CHECKS = (
    found("rows do not mix", "changing row 0 moves only its own output"),
    failed("optimizer has all parameters", "not head[bold].weight\x1b[2J", "give it to the optimizer"),
    skipped("unscaled before clipping", "the run has no loss scaler"),
)


def screen(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)


def written(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_a_line_a_check_with_what_to_do_under_it() -> None:
    for terminal in (True, False):
        out = screen(terminal=terminal)
        show("one batch", CHECKS, out)
        lines = written(out).splitlines()
        (at,) = [number for number, line in enumerate(lines) if "FAIL" in line]
        assert "not head[bold].weight\\x1b[2J" in lines[at]
        assert "give it to the optimizer" in lines[at + 1]
        assert sum("ok" in line.split() for line in lines) == 1
        assert "the run has no loss scaler" in lines[at + 2]
        assert "one batch" in lines[0]


def test_the_end_counts_and_gives_the_exit_code() -> None:
    out = screen(terminal=False)
    assert ending(CHECKS, out) == 1
    assert written(out) == "1 passed, 1 failed, 1 not applicable\n"
    assert ending(CHECKS[::2], screen(terminal=False)) == 0


def test_the_bar_is_for_terminals() -> None:
    for terminal in (True, False):
        out = screen(terminal=terminal)
        with bar(out) as watch:
            watch("rows do not mix", 3, 15)
        assert ("rows do not mix" in written(out)) is terminal


def test_long_lists_are_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
